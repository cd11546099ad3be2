-- A load of these, or a later one of the same table, of which is not kept what it replaced. A ledger that was
-- restored without its other tables says that it is kept, and has no row of it.
SELECT entry.load_id
FROM landfall.ledger AS entry
INNER JOIN landfall.ledger AS undone
    ON
        entry.load_id = undone.load_id
        OR entry.target = undone.target AND entry.started > undone.started
WHERE
    undone.load_id = ANY(%(load_ids)s)
    AND undone.rows > 0
    -- A ledger of an earlier version counted no deduplicated rows.
    AND coalesce(entry.rows, 0) + coalesce(entry.deduplicated, 0) > 0
    AND (
        coalesce(entry.kept_until < clock_timestamp(), true)
        OR NOT EXISTS (SELECT FROM landfall.replaced AS kept WHERE kept.load_id = entry.load_id)
    )
LIMIT 1
