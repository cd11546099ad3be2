-- Settles the rejects whose rows are in the target now: those in the staging that nothing refused.
UPDATE landfall.rejects AS reject
SET
    state = 'replayed',
    settled_at = clock_timestamp(),
    settled_by = %(by)s
FROM pg_temp.landfall_texts AS staged
WHERE
    reject.reject_id = staged.number
    AND reject.state = 'open'
    AND NOT EXISTS (SELECT 1 FROM pg_temp.landfall_rejected AS refused WHERE refused.number = staged.number)
