-- Keeps the cells that became NULL, each as a reject whose row is in the target.
INSERT INTO landfall.rejects (
    load_id, feed, bucket, key, version,
    member, line, row_number, column_name, reason, sqlstate, message, raw, cells, state
)
SELECT
    %(load_id)s,
    %(feed)s,
    %(bucket)s,
    coalesce(key, %(key)s),
    %(version)s,
    member,
    line,
    coalesce(row_number, number),
    column_name,
    reason,
    sqlstate,
    message,
    raw,
    jsonb_object(%(names)s::text [], nulled.cells),
    'nulled'
FROM pg_temp.landfall_rejected AS nulled
WHERE nulled.nulled AND number NOT IN (SELECT number FROM pg_temp.landfall_rejects)
ORDER BY number, position
