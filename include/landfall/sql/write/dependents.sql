-- Tables of which a DELETE from the target deletes or changes rows too: those that refer by such a foreign
-- key to it, or to one of its partitions alone, and those that inherit from it. `pairs` joins their rows with
-- those of the target.
SELECT
    child.oid::regclass::text AS name,
    format('%%I.%%I', schema.nspname, child.relname) AS quoted,
    dependent.rule,
    dependent.pairs,
    child.oid = to_regclass(%(target)s) AS is_target,
    has_table_privilege(child.oid, 'SELECT') AS is_readable
FROM (
    SELECT
        fk.conrelid AS oid,
        CASE fk.confdeltype
            WHEN 'c' THEN 'ON DELETE CASCADE'
            WHEN 'n' THEN 'ON DELETE SET NULL'
            ELSE 'ON DELETE SET DEFAULT'
        END AS rule,
        (
            SELECT
                string_agg(format('child.%%I = target.%%I', own.attname, other.attname), ' AND ')
            FROM unnest(fk.conkey, fk.confkey) AS pair (own, other)
            INNER JOIN pg_attribute AS own
                ON fk.conrelid = own.attrelid AND pair.own = own.attnum
            INNER JOIN pg_attribute AS other
                ON fk.confrelid = other.attrelid AND pair.other = other.attnum
        ) AS pairs
    FROM pg_constraint AS fk
    WHERE
        (
            fk.confrelid = to_regclass(%(target)s)
            OR (
                fk.conparentid = 0
                AND fk.confrelid IN (SELECT part.relid FROM pg_partition_tree(to_regclass(%(target)s)) AS part)
            )
        )
        AND fk.contype = 'f'
        AND fk.confdeltype IN ('c', 'n', 'd')
    UNION ALL
    SELECT
        pg_inherits.inhrelid AS oid,
        'INHERITS' AS rule,
        NULL AS pairs
    FROM pg_inherits
    INNER JOIN pg_class AS parent ON pg_inherits.inhparent = parent.oid
    WHERE parent.oid = to_regclass(%(target)s) AND parent.relkind <> 'p'
) AS dependent
INNER JOIN pg_class AS child ON dependent.oid = child.oid
INNER JOIN pg_namespace AS schema ON child.relnamespace = schema.oid
ORDER BY name, dependent.rule
