INSERT INTO {target} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {values}
FROM {undo} AS u
CROSS JOIN LATERAL jsonb_array_elements(u._load_before) AS b (cells)
CROSS JOIN LATERAL jsonb_populate_record(NULL::{target}, b.cells - {json_columns}::text []) AS r
WHERE NOT u._load_is_single
