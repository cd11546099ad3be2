-- Keeps a failure, unless the arrival is loaded after all. The sensor leaves it alone for five minutes,
-- and for twice the last time after each further failure, up to a day. Where an earlier run brought rows,
-- ledger/fail_again.sql keeps it.
WITH kept AS (
    INSERT INTO landfall.ledger AS entry (
        feed, bucket, key, etag, size, last_modified, target,
        started, seconds, status, error, loaded_by, attempt, rejected, reasons,
        retry_after, failed_at, duplicate_of
    ) VALUES (
        %(feed)s, %(bucket)s, %(key)s, %(etag)s, %(size)s, %(last_modified)s,
        %(target)s, clock_timestamp() - make_interval(secs => %(seconds)s), %(seconds)s,
        %(status)s, %(error)s, %(by)s, %(attempt)s, %(rejected)s, %(reasons)s,
        clock_timestamp() + interval '5 minutes', clock_timestamp(), %(duplicate_of)s
    )
    ON CONFLICT (feed, bucket, key, version) DO UPDATE SET
        last_modified = excluded.last_modified,
        started = excluded.started,
        seconds = excluded.seconds,
        rows = NULL,
        status = excluded.status,
        error = excluded.error,
        loaded_by = excluded.loaded_by,
        attempt = excluded.attempt,
        rejected = excluded.rejected,
        reasons = excluded.reasons,
        duplicate_of = excluded.duplicate_of,
        failed_at = excluded.failed_at,
        retry_after = clock_timestamp() + least(
            interval '1 day',
            greatest(
                interval '5 minutes',
                2 * (
                    entry.retry_after
                    -- A failure of an earlier version has no time.
                    - coalesce(entry.failed_at, entry.started + make_interval(secs => entry.seconds))
                )
            )
        )
    WHERE entry.status <> 'loaded'
    RETURNING load_id
)
SELECT load_id FROM kept
