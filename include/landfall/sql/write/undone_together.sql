-- The objects of these loads, and those of which a load had a key after these loads had changed its rows:
-- each with all its loads, the latest object first.
SELECT
    sibling.feed,
    sibling.bucket,
    sibling.key,
    array_agg(sibling.load_id) AS load_ids
FROM landfall.ledger AS sibling
WHERE
    (sibling.feed, sibling.bucket, sibling.key) IN (
        SELECT
            entry.feed,
            entry.bucket,
            entry.key
        FROM landfall.ledger AS entry
        WHERE
            entry.load_id = ANY({load_ids}::bigint [])
            OR entry.load_id IN (
                SELECT later.load_id
                FROM landfall.replaced AS own
                {later}
                WHERE
                    own.load_id = ANY({load_ids}::bigint [])
                    AND own.is_changed
                    AND later.target = {name}
                    AND later.replaced_id > own.replaced_id
            )
    )
GROUP BY sibling.feed, sibling.bucket, sibling.key
ORDER BY max(sibling.started) DESC, max(sibling.load_id) DESC
