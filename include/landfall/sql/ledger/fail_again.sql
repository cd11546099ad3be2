-- Keeps a failure where an earlier run brought rows: its row keeps their counts and its times, because a
-- merge leaves the rows of a superseded version in the target. A superseded one becomes a duplicate where
-- it was refused as that. A loaded one takes the failure only where the try was forced or the object has
-- another size; else another process has loaded the arrival meanwhile.
UPDATE landfall.ledger
SET
    error = %(error)s,
    failed_at = clock_timestamp(),
    retry_after = clock_timestamp() + least(
        interval '1 day',
        greatest(interval '5 minutes', 2 * (retry_after - failed_at))
    ),
    status = CASE WHEN status = 'loaded' THEN status WHEN %(status)s = 'failed' THEN 'superseded' ELSE %(status)s END,
    duplicate_of = CASE WHEN status = 'loaded' THEN duplicate_of ELSE %(duplicate_of)s END
WHERE
    feed = %(feed)s AND bucket = %(bucket)s AND key = %(key)s AND version = %(version)s
    AND CASE status
        WHEN 'loaded' THEN attempt <> %(attempt)s AND (size <> %(size)s OR %(force)s)
        ELSE coalesce(rows, 0) + coalesce(deduplicated, 0) > 0
    END
RETURNING load_id
