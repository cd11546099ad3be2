-- Settles the rejects in the staging that nothing refused: their rows are in the target now, or lost to
-- others.
UPDATE landfall.rejects AS reject
SET
    state = CASE
        WHEN {is_lost} THEN 'superseded'
        WHEN EXISTS (
            SELECT 1 FROM pg_temp.landfall_rejected AS bad WHERE bad.nulled AND bad.number = staged.number
        ) THEN 'nulled'
        ELSE 'replayed'
    END,
    settled_at = clock_timestamp(),
    settled_by = {by}
FROM pg_temp.landfall_texts AS staged
WHERE
    reject.reject_id = staged.number
    AND reject.state = 'open'
    AND NOT EXISTS (
        SELECT 1 FROM pg_temp.landfall_rejected AS refused
        WHERE NOT refused.nulled AND refused.number = staged.number
    )
