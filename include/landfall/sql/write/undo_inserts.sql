INSERT INTO {target} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {columns}
FROM (
    SELECT r.*
    FROM {undo} AS u
    CROSS JOIN LATERAL jsonb_populate_recordset(NULL::{target}, u._load_before) AS r
    WHERE NOT u._load_is_single
) AS earlier
