-- The target's columns in their order: whether the table computes them, whether an UPDATE cannot write them,
-- whether their values are kept as texts, and whether equal values have equal JSON, unlike those of citext and
-- interval. A type of an extension may have a cast to json, which to_jsonb() follows. `collated` is the type
-- with its collation, `given` the value that ADD COLUMN gave to the rows that were there.
WITH RECURSIVE base AS (
    SELECT
        attnum,
        atttypid AS oid
    FROM pg_attribute
    WHERE
        attrelid = to_regclass(%(target)s)
        AND attnum > 0
        AND NOT attisdropped
    UNION ALL
    SELECT
        base.attnum,
        domain.typbasetype AS oid
    FROM base
    INNER JOIN pg_type AS domain ON base.oid = domain.oid
    WHERE domain.typtype = 'd'
)

SELECT
    a.attname::text AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    format_type(a.atttypid, a.atttypmod) || coalesce(
        ' COLLATE ' || quote_ident(coll_schema.nspname) || '.' || quote_ident(coll.collname), ''
    ) AS collated,
    a.attgenerated <> '' AS is_computed,
    a.attidentity = 'a' AS is_always,
    (
        type.oid IN ('json'::regtype, 'jsonb'::regtype)
        OR type.typcategory IN ('A', 'C')
        OR EXISTS (
            SELECT 1 FROM pg_cast
            WHERE castsource = type.oid AND casttarget = 'json'::regtype AND castmethod = 'f'
        )
    ) AS is_text,
    type.oid IN ('json'::regtype, 'jsonb'::regtype) AS is_json,
    (
        type.oid = ANY(
            '{boolean,smallint,integer,bigint,numeric,real,float8,date,timestamp,timestamptz,uuid}'::regtype []
        )
        OR type.typtype = 'e'
        OR (type.oid = ANY('{text,varchar,bpchar}'::regtype []) AND coll.collisdeterministic)
    ) AS is_exact,
    CASE WHEN a.atthasmissing AND type.typcategory <> 'A' THEN (a.attmissingval::text::text [])[1] END AS given
FROM base
INNER JOIN pg_type AS type ON base.oid = type.oid
INNER JOIN pg_attribute AS a ON base.attnum = a.attnum
LEFT JOIN pg_collation AS coll ON a.attcollation = coll.oid
LEFT JOIN pg_namespace AS coll_schema ON coll.collnamespace = coll_schema.oid
WHERE a.attrelid = to_regclass(%(target)s) AND type.typtype <> 'd'
ORDER BY a.attnum
