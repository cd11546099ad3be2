-- The tables into which files of the feed are loaded, one after another by the index: the feed may have a
-- million files.
WITH RECURSIVE targets AS (
    (
        SELECT target
        FROM landfall.ledger
        WHERE feed = %(feed)s AND status = 'loaded'
        ORDER BY target
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT entry.target
        FROM landfall.ledger AS entry
        WHERE entry.feed = %(feed)s AND entry.status = 'loaded' AND entry.target > targets.target
        ORDER BY entry.target
        LIMIT 1
    )
    FROM targets
    WHERE targets.target IS NOT NULL
)

SELECT target FROM targets
WHERE target IS NOT NULL
