-- The target's constraints on the feed's columns: each column that is NOT NULL, and each CHECK that
-- needs no other column, with its expression.
SELECT
    attname::text AS name,
    NULL AS expression
FROM pg_attribute
WHERE
    attrelid = to_regclass(%(target)s)
    AND attnotnull
    AND attname = ANY(%(names)s::text [])
UNION ALL
SELECT
    conname::text,
    pg_get_expr(conbin, conrelid)
FROM pg_constraint
WHERE
    conrelid = to_regclass(%(target)s)
    AND contype = 'c'
    AND NOT EXISTS (
        SELECT 1
        FROM unnest(conkey) AS used (attnum)
        LEFT JOIN pg_attribute AS a ON a.attrelid = conrelid AND used.attnum = a.attnum
        WHERE a.attname IS NULL OR a.attname <> ALL(%(names)s::text [])
    )
