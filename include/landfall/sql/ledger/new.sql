-- Of a page of the bucket's listing: the places of the arrivals that may be new, and why. The rule is
-- in ledger/arrivals.py. The subqueries have a LIMIT so that the server looks each object up in the
-- index, and never reads the whole ledger for a page.
SELECT
    listed.place,
    CASE
        WHEN %(due_only)s AND same.retry_after > clock_timestamp() THEN 'early'
        WHEN same.status = 'failed' THEN 'failed'
        WHEN same.is_duplicate THEN 'duplicate'
        WHEN loaded.version IS NOT NULL AND same.has_failed THEN 'failed'
        WHEN loaded.version IS NOT NULL THEN 'changed'
        WHEN same.status = 'superseded' THEN 'superseded'
        ELSE 'new'
    END AS reason,
    coalesce(same.has_failed, false) AS has_failed
FROM json_to_recordset(%(page)s) AS listed (place integer, key text, version text, size bigint)
LEFT JOIN LATERAL (
    SELECT version, size, started
    FROM landfall.ledger
    WHERE feed = %(feed)s AND bucket = %(bucket)s AND key = listed.key AND status = 'loaded'
    LIMIT 1
) AS loaded ON true
LEFT JOIN LATERAL (
    SELECT
        status,
        -- Also of a loaded or superseded one, which somebody tried to load again.
        status <> 'duplicate' AND error IS NOT NULL AS has_failed,
        -- As JSON, because a ledger of an earlier version has no such column before the next load.
        CASE
            WHEN status <> 'duplicate' AND error IS NOT NULL
                THEN (to_jsonb(entry) ->> 'retry_after')::timestamptz
        END AS retry_after,
        -- As long as the rows of the other file are there, and this object had no other content since.
        status = 'duplicate'
        AND coalesce(
            loaded.started
            < coalesce((to_jsonb(entry) ->> 'failed_at')::timestamptz, entry.started),
            true
        )
        AND EXISTS (
            SELECT FROM landfall.ledger AS earlier
            WHERE earlier.load_id = (to_jsonb(entry) ->> 'duplicate_of')::bigint
                AND earlier.status = 'loaded'
        ) AS is_duplicate
    FROM landfall.ledger AS entry
    WHERE feed = %(feed)s AND bucket = %(bucket)s AND key = listed.key AND version = listed.version
        AND (loaded.version IS NULL OR (loaded.version, loaded.size) <> (listed.version, listed.size))
    LIMIT 1
) AS same ON true
WHERE (loaded.version IS NULL OR (loaded.version, loaded.size) <> (listed.version, listed.size))
ORDER BY listed.place
