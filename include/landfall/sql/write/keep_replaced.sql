-- Keeps every key of the file: its rows before the load where they are others now. Of a key whose rows are
-- the same it is kept that the file had it: without an earlier file it might have changed them. The first row
-- has the columns, too.
INSERT INTO landfall.replaced (load_id, target, key, is_changed, before, after, columns)
SELECT
    {load_id},
    {name},
    {key_as_json},
    a._load_rows IS DISTINCT FROM b._load_rows,
    CASE WHEN a._load_rows IS DISTINCT FROM b._load_rows THEN b._load_rows END,
    coalesce(md5(a._load_rows::text), ''),
    CASE WHEN row_number() OVER () = 1 THEN {columns}::jsonb END
FROM {before} AS b
INNER JOIN ({rows}) AS a ON {same}
