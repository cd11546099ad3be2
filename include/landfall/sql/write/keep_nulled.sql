-- Keeps the cells that became NULL, each as a reject whose row is in the target. Of a snapshot,
-- a row has key and number of its part.
INSERT INTO landfall.rejects (
    load_id, feed, bucket, key, version,
    member, line, row_number, column_name, reason, sqlstate, message, raw, cells, state
)
SELECT
    %(load_id)s,
    %(feed)s,
    %(bucket)s,
    coalesce(part.key, %(key)s),
    %(version)s,
    member,
    line,
    nulled.number - coalesce(part.first, 1) + 1,
    column_name,
    reason,
    sqlstate,
    message,
    raw,
    jsonb_object(%(names)s::text [], nulled.cells),
    'nulled'
FROM pg_temp.landfall_rejected AS nulled
LEFT JOIN LATERAL (
    SELECT
        key,
        first
    FROM unnest(%(parts)s::text [], %(firsts)s::bigint []) AS part (key, first)
    WHERE part.first <= nulled.number
    ORDER BY part.first DESC
    LIMIT 1
) AS part ON true
WHERE nulled.nulled AND number NOT IN (SELECT number FROM pg_temp.landfall_rejects)
ORDER BY number, position
