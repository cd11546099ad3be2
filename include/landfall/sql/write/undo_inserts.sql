INSERT INTO {target} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {values}
FROM {undo} AS u
CROSS JOIN LATERAL jsonb_array_elements(u._load_before) AS b (cells)
CROSS JOIN LATERAL jsonb_to_record(b.cells) AS r ({row_types})
WHERE NOT u._load_is_single
