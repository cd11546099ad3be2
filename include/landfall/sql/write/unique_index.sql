-- A unique index on exactly these columns, of the kind that ON CONFLICT can use.
SELECT 1
FROM pg_index
WHERE
    indrelid = to_regclass(%(target)s)
    AND indisunique
    AND indimmediate
    AND indisvalid
    AND NOT indisexclusion
    AND indpred IS NULL
    AND indexprs IS NULL
    AND %(key)s::text [] @> ARRAY(
        SELECT attname::text
        FROM pg_attribute
        WHERE attrelid = indrelid AND attnum = ANY((indkey::smallint [])[:indnkeyatts - 1])
    )
    AND indnkeyatts = cardinality(%(key)s::text [])
LIMIT 1
