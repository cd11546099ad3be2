-- The feed's columns beside the target's: types as declared, as they are, and whether they agree.
SELECT
    feed.attname AS name,
    format_type(feed.atttypid, feed.atttypmod) AS declared,
    format_type(target.atttypid, target.atttypmod) AS existing,
    (feed.atttypid, feed.atttypmod) = (target.atttypid, target.atttypmod) AS agrees,
    coalesce(target.attgenerated, '') <> '' AS generated,
    type.typtype::text AS typtype,
    type.typcategory::text AS category
FROM pg_attribute AS feed
INNER JOIN pg_type AS type ON feed.atttypid = type.oid
LEFT JOIN pg_attribute AS target
    ON
        target.attrelid = to_regclass(%(target)s)
        AND target.attname = feed.attname
        AND target.attnum > 0
        AND NOT target.attisdropped
WHERE feed.attrelid = 'pg_temp.landfall_rows'::regclass AND feed.attnum > 0
ORDER BY feed.attnum
