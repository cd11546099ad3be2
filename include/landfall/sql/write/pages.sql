-- How many pages a table has, where its last ones can be read alone, as they can from PostgreSQL 14 on.
SELECT pg_relation_size(oid) / current_setting('block_size')::bigint
FROM pg_class
WHERE
    oid = to_regclass(%(target)s)
    AND relkind = 'r'
    AND has_table_privilege(oid, 'SELECT')
    AND current_setting('server_version_num')::integer >= 140000
