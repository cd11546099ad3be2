-- What the target is, and what would keep a load from doing what it says.
SELECT
    coalesce(CASE class.relkind
        WHEN 'v' THEN 'a view'
        WHEN 'm' THEN 'a materialized view'
        WHEN 'f' THEN 'a foreign table'
        WHEN 'S' THEN 'a sequence'
        WHEN 'i' THEN 'an index'
        WHEN 'I' THEN 'an index'
        WHEN 'c' THEN 'a composite type'
    END, 'a table') AS kind,
    -- COPY fills a view by such a trigger, and so does INSERT. 68: INSTEAD and INSERT.
    EXISTS (
        SELECT 1 FROM pg_trigger AS trigger
        WHERE trigger.tgrelid = class.oid AND trigger.tgtype::integer & 68 = 68
    ) AS takes_rows,
    -- 3: INSERT
    (
        SELECT min(rule.rulename) FROM pg_rewrite AS rule
        WHERE rule.ev_class = class.oid AND rule.ev_type = '3'
    )::text AS insert_rule,
    row_security_active(class.oid) AS is_secured,
    -- The columns that no row may leave out, and that nobody fills. 7: BEFORE, INSERT, FOR EACH ROW
    (
        SELECT array_agg(must.attname::text ORDER BY must.attnum)
        FROM pg_attribute AS must
        INNER JOIN pg_type AS must_type ON must.atttypid = must_type.oid
        WHERE
            must.attrelid = class.oid AND must.attnum > 0 AND NOT must.attisdropped AND must.attnotnull
            AND NOT must.atthasdef AND must.attidentity = '' AND must_type.typdefault IS NULL
            AND NOT EXISTS (
                SELECT 1 FROM pg_trigger AS trigger
                WHERE trigger.tgrelid = class.oid AND trigger.tgtype::integer & 7 = 7
            )
    ) AS required,
    (
        SELECT parent.inhparent::regclass FROM pg_inherits AS parent
        WHERE parent.inhrelid = class.oid AND class.relispartition
    )::text AS partition_of,
    nullif(class.reloftype, 0)::regtype::text AS table_of,
    -- What a binary COPY of a bigint means to its column; NULL where there is no such column.
    (
        SELECT
            CASE
                WHEN load_id.attgenerated <> '' THEN 'a generated column'
                WHEN load_id_type.oid = 'bigint'::regtype OR load_id_type.typbasetype = 'bigint'::regtype
                    THEN 'bigint'
                ELSE format_type(load_id.atttypid, load_id.atttypmod)
            END
        FROM pg_attribute AS load_id
        INNER JOIN pg_type AS load_id_type ON load_id.atttypid = load_id_type.oid
        WHERE load_id.attrelid = class.oid AND load_id.attname = %(load_id)s AND NOT load_id.attisdropped
    ) AS load_id
FROM pg_class AS class
WHERE class.oid = to_regclass(%(target)s)
