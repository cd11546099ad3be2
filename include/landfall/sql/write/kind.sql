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
    (
        SELECT parent.inhparent::regclass FROM pg_inherits AS parent
        WHERE parent.inhrelid = class.oid AND class.relispartition
    )::text AS partition_of
FROM pg_class AS class
WHERE class.oid = to_regclass(%(target)s)
