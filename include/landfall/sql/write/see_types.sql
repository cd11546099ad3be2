-- Puts the schemas of the target's types at the end of the search path, until the transaction ends: there are
-- the types' operators. Without them two values of citext would be compared as texts.
WITH RECURSIVE types AS (
    SELECT atttypid AS oid
    FROM pg_attribute
    WHERE attrelid = to_regclass(%(target)s) AND attnum > 0 AND NOT attisdropped
    UNION
    SELECT unnest(ARRAY[type.typbasetype, type.typelem]) AS oid
    FROM types
    INNER JOIN pg_type AS type ON types.oid = type.oid
),

schemas AS (
    SELECT DISTINCT n.nspname
    FROM types
    INNER JOIN pg_type AS type ON types.oid = type.oid
    INNER JOIN pg_namespace AS n ON type.typnamespace = n.oid
    WHERE n.nspname <> ALL(current_schemas(true)) AND has_schema_privilege(n.oid, 'USAGE')
)

SELECT set_config(
    'search_path',
    concat_ws(', ', nullif(current_setting('search_path'), ''), string_agg(quote_ident(nspname), ', ')),
    true
)
FROM schemas
HAVING count(*) > 0
