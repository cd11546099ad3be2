-- Keeps a failure, unless the arrival is loaded after all.
WITH kept AS (
    INSERT INTO landfall.ledger AS entry (
        feed, bucket, key, etag, version_id, size, last_modified, target,
        started, seconds, status, error, loaded_by, attempt, rejected, reasons
    ) VALUES (
        %(feed)s, %(bucket)s, %(key)s, %(etag)s, %(version_id)s, %(size)s, %(last_modified)s,
        %(target)s, clock_timestamp() - make_interval(secs => %(seconds)s), %(seconds)s,
        'failed', %(error)s, %(by)s, %(attempt)s, %(rejected)s, %(reasons)s
    )
    ON CONFLICT (feed, bucket, key, version) DO UPDATE SET
        started = excluded.started,
        seconds = excluded.seconds,
        rows = NULL,
        status = excluded.status,
        error = excluded.error,
        loaded_by = excluded.loaded_by,
        attempt = excluded.attempt,
        rejected = excluded.rejected,
        reasons = excluded.reasons
    WHERE entry.status <> 'loaded'
    RETURNING load_id
)
SELECT load_id FROM kept
