-- Gives a row that is there before and after its earlier values: other tables may refer to it. That is also
-- the key's spelling: a row of the same key may have another one, as with citext.
UPDATE {target} AS t
SET {changes}
FROM {undo} AS u
CROSS JOIN LATERAL jsonb_array_elements(u._load_before) AS b (cells)
CROSS JOIN LATERAL jsonb_to_record(b.cells) AS r ({row_types})
WHERE {same_key} AND u._load_is_single
