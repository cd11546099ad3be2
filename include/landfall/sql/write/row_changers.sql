-- The triggers that may change a row before it is in the target, or in one of its partitions, and how many
-- pages the target has by now. 7: BEFORE, INSERT and FOR EACH ROW.
SELECT
    string_agg(DISTINCT quote_ident(tgname), ', ') AS names,
    pg_relation_size(to_regclass(%(target)s)) / current_setting('block_size')::bigint AS pages
FROM pg_trigger
WHERE
    tgtype::integer & 7 = 7
    AND tgenabled <> 'D'
    AND NOT tgisinternal
    AND (
        tgrelid = to_regclass(%(target)s)
        OR tgrelid IN (SELECT part.relid FROM pg_partition_tree(to_regclass(%(target)s)) AS part)
    )
    AND has_table_privilege(to_regclass(%(target)s), 'SELECT')
HAVING count(*) > 0
