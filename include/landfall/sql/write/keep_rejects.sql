-- Keeps the rejected rows of a load. Of a snapshot, a row has key and number of its part.
INSERT INTO landfall.rejects (
    load_id, feed, bucket, key, version,
    member, line, row_number, column_name, reason, sqlstate, message, raw, cells, more
)
SELECT
    %(load_id)s,
    %(feed)s,
    %(bucket)s,
    coalesce(part.key, %(key)s),
    %(version)s,
    first.member,
    first.line,
    first.number - coalesce(part.first, 1) + 1,
    first.column_name,
    first.reason,
    first.sqlstate,
    first.message,
    first.raw,
    jsonb_object(%(names)s::text [], first.cells),
    others.more
FROM pg_temp.landfall_rejects AS first
LEFT JOIN LATERAL (
    SELECT
        key,
        first
    FROM unnest(%(parts)s::text [], %(firsts)s::bigint []) AS part (key, first)
    WHERE part.first <= first.number
    ORDER BY part.first DESC
    LIMIT 1
) AS part ON true
LEFT JOIN pg_temp.landfall_more AS others ON first.number = others.number
ORDER BY first.number
