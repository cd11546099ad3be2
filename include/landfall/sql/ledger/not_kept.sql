-- A load that changed rows and of which is not kept what they were.
SELECT load_id
FROM landfall.ledger
WHERE
    load_id = ANY(%(load_ids)s)
    AND rows > 0
    AND coalesce(kept_until < clock_timestamp(), true)
LIMIT 1
