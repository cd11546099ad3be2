-- A trigger of the target, or of one of its partitions, that may keep a row out: one before each row.
-- 3: BEFORE and ROW; 20: INSERT or UPDATE.
SELECT 1
FROM pg_trigger
WHERE
    tgrelid IN (
        SELECT to_regclass(%(target)s)
        UNION ALL
        SELECT relid FROM pg_partition_tree(to_regclass(%(target)s))
    )
    AND NOT tgisinternal
    AND tgtype & 3 = 3
    AND tgtype & 20 <> 0
LIMIT 1
