-- Claims an arrival. No row comes back when it is loaded already (and not forced). Clones of S3 give
-- two objects one ETag, so another size is another version too.
WITH earlier AS (
    SELECT status
    FROM landfall.ledger
    WHERE feed = %(feed)s AND bucket = %(bucket)s AND key = %(key)s AND version = %(version)s
)
INSERT INTO landfall.ledger AS entry (
    feed, bucket, key, etag, size, last_modified, target,
    started, status, loaded_by, attempt
) VALUES (
    %(feed)s, %(bucket)s, %(key)s, %(etag)s, %(size)s, %(last_modified)s,
    %(target)s, clock_timestamp(), 'loading', %(by)s, %(attempt)s
)
ON CONFLICT (feed, bucket, key, version) DO UPDATE SET
    size = excluded.size,
    last_modified = excluded.last_modified,
    target = excluded.target,
    started = excluded.started,
    status = excluded.status,
    error = NULL,
    failed_at = NULL,
    retry_after = NULL,
    content_hash = NULL,
    duplicate_of = NULL,
    loaded_by = excluded.loaded_by,
    attempt = excluded.attempt
WHERE entry.status <> 'loaded' OR entry.size <> excluded.size OR %(force)s
RETURNING load_id, coalesce((SELECT status = 'loaded' FROM earlier), false) AS has_rows
