-- The feed's columns beside the target's: types as declared, as they are, whether they agree, and the
-- function with which COPY would read a text. Of a domain that is the function of its base type.
WITH RECURSIVE base AS (
    SELECT
        attribute.attnum,
        type.oid,
        type.typbasetype,
        attribute.atttypmod AS typmod
    FROM pg_attribute AS attribute
    INNER JOIN pg_type AS type ON attribute.atttypid = type.oid
    WHERE attribute.attrelid = 'pg_temp.landfall_rows'::regclass AND attribute.attnum > 0
    UNION ALL
    SELECT
        base.attnum,
        type.oid,
        type.typbasetype,
        domain.typtypmod AS typmod
    FROM base
    INNER JOIN pg_type AS domain ON base.oid = domain.oid
    INNER JOIN pg_type AS type ON domain.typbasetype = type.oid
)

SELECT
    feed.attname AS name,
    format_type(feed.atttypid, feed.atttypmod) AS declared,
    format_type(target.atttypid, target.atttypmod) AS existing,
    (feed.atttypid, feed.atttypmod) = (target.atttypid, target.atttypmod) AS agrees,
    coalesce(target.attgenerated, '') <> '' AS generated,
    coalesce(target.attnotnull, false) AS required,
    type.typtype::text AS typtype,
    format_type(base.oid, NULL) AS base,
    -- A function of arrays, enums or ranges says what it returns only inside the server.
    CASE WHEN input.prorettype = base.oid THEN input_schema.nspname::text END AS input_schema,
    input.proname::text AS input_name,
    input.pronargs AS input_arguments,
    coalesce(nullif(base_type.typelem, 0), base.oid)::bigint AS input_parameter,
    base.typmod
FROM pg_attribute AS feed
INNER JOIN pg_type AS type ON feed.atttypid = type.oid
INNER JOIN base ON feed.attnum = base.attnum AND base.typbasetype = 0
INNER JOIN pg_type AS base_type ON base.oid = base_type.oid
INNER JOIN pg_proc AS input ON base_type.typinput = input.oid
INNER JOIN pg_namespace AS input_schema ON input.pronamespace = input_schema.oid
LEFT JOIN pg_attribute AS target
    ON
        target.attrelid = to_regclass(%(target)s)
        AND target.attname = feed.attname
        AND target.attnum > 0
        AND NOT target.attisdropped
WHERE feed.attrelid = 'pg_temp.landfall_rows'::regclass AND feed.attnum > 0
ORDER BY feed.attnum
