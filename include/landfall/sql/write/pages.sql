-- How many pages the table has, or each of its newest partitions, where the last ones can be read alone,
-- as they can from PostgreSQL 14 on.
SELECT
    class.oid::regclass::text AS relation,
    pg_relation_size(class.oid) / current_setting('block_size')::bigint AS pages
FROM pg_class AS class
WHERE
    (
        class.oid = to_regclass(%(target)s)
        OR class.oid IN (
            SELECT leaf.relid FROM pg_partition_tree(to_regclass(%(target)s)) AS leaf WHERE leaf.isleaf
        )
    )
    AND class.relkind = 'r'
    AND has_table_privilege(class.oid, 'SELECT')
    AND current_setting('server_version_num')::integer >= 140000
    AND pg_relation_size(class.oid) > 0
ORDER BY class.oid DESC
LIMIT %(most)s
