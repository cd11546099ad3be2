-- Gives a row that is there before and after its earlier values: other tables may refer to it.
UPDATE {target} AS t
SET {changes}
FROM {undo} AS u
CROSS JOIN LATERAL jsonb_populate_recordset(NULL::{target}, u._load_before) AS r
WHERE {same_key} AND u._load_is_single
