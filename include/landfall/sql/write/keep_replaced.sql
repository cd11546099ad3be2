-- Keeps the keys whose rows are others than before the load.
INSERT INTO landfall.replaced (load_id, target, key, before, after)
SELECT
    {load_id},
    {name},
    {key_as_json},
    b._load_rows,
    coalesce(md5(a._load_rows::text), '')
FROM {before} AS b
INNER JOIN ({rows}) AS a ON {same}
WHERE a._load_rows IS DISTINCT FROM b._load_rows
