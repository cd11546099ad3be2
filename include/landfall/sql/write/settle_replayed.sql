-- Settles the rejects whose rows are in the target now: those in the staging that nothing refused.
UPDATE landfall.rejects AS reject
SET
    state = CASE WHEN EXISTS (
        SELECT 1 FROM pg_temp.landfall_rejected AS bad WHERE bad.nulled AND bad.number = staged.number
    ) THEN 'nulled' ELSE 'replayed' END,
    settled_at = clock_timestamp(),
    settled_by = %(by)s
FROM pg_temp.landfall_texts AS staged
WHERE
    reject.reject_id = staged.number
    AND reject.state = 'open'
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.landfall_rejected AS refused
        WHERE NOT refused.nulled AND refused.number = staged.number
    )
