-- Something that may keep or change rows behind the back of a statement: a trigger or a rule of the target,
-- of its partitions or of tables that inherit from it; such tables themselves, because no unique index spans
-- them; what a view hides.
WITH RECURSIVE members AS (
    SELECT to_regclass(%(target)s)::oid AS oid
    UNION
    SELECT child.inhrelid
    FROM members
    INNER JOIN pg_inherits AS child ON members.oid = child.inhparent
)

SELECT 1
FROM members
INNER JOIN pg_class AS class ON members.oid = class.oid
WHERE
    class.relkind NOT IN ('r', 'p')
    OR (class.oid <> to_regclass(%(target)s) AND NOT class.relispartition)
    OR EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = class.oid AND NOT tgisinternal)
    OR EXISTS (SELECT 1 FROM pg_rewrite WHERE ev_class = class.oid)
LIMIT 1
