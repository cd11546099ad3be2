-- The target's own deferrable constraints; foreign keys to itself only where they are asked for.
SELECT
    n.nspname::text,
    c.conname::text
FROM pg_constraint AS c
INNER JOIN pg_namespace AS n ON c.connamespace = n.oid
WHERE
    c.conrelid = to_regclass(%(target)s)
    AND c.condeferrable
    AND (c.confrelid <> c.conrelid OR %(with_self_references)s)
ORDER BY c.conname
