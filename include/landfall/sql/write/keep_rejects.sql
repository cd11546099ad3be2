-- Keeps the rejected rows of a load.
INSERT INTO landfall.rejects (
    load_id, feed, bucket, key, version,
    member, line, row_number, column_name, reason, sqlstate, message, raw, cells, more
)
SELECT
    %(load_id)s,
    %(feed)s,
    %(bucket)s,
    coalesce(first.key, %(key)s),
    %(version)s,
    first.member,
    first.line,
    first.row_number,
    first.column_name,
    first.reason,
    first.sqlstate,
    first.message,
    first.raw,
    jsonb_object(%(names)s::text [], first.cells),
    others.more
FROM pg_temp.landfall_rejects AS first
LEFT JOIN pg_temp.landfall_more AS others ON first.number = others.number
ORDER BY first.number
