-- The feed's columns beside the target's: types as declared, as found, and whether they agree.
SELECT
    wanted.attname AS name,
    format_type(wanted.atttypid, wanted.atttypmod) AS declared,
    format_type(found.atttypid, found.atttypmod) AS existing,
    (wanted.atttypid, wanted.atttypmod) = (found.atttypid, found.atttypmod) AS agrees,
    kind.typtype::text AS kind,
    kind.typcategory::text AS category
FROM pg_attribute AS wanted
INNER JOIN pg_type AS kind ON wanted.atttypid = kind.oid
LEFT JOIN pg_attribute AS found
    ON
        found.attrelid = to_regclass(%(target)s)
        AND found.attname = wanted.attname
        AND found.attnum > 0
        AND NOT found.attisdropped
WHERE wanted.attrelid = 'pg_temp.landfall_rows'::regclass AND wanted.attnum > 0
ORDER BY wanted.attnum
