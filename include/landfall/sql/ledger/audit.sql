-- The loads of a feed of which the table has other rows than the ledger says, and the rows of loads that
-- the ledger does not know. `are_exact`: whether all rows of a load stay until its object is loaded again.
WITH counted AS (
    SELECT
        {load_id} AS load_id,
        count(*) AS rows
    FROM {target}
    WHERE {load_id} IS NOT NULL
    GROUP BY 1
),

entry AS (
    SELECT
        load_id,
        feed,
        key,
        status,
        coalesce(rows, 0) AS rows,
        -- Rows of the last load are there, whatever merges did to those of earlier ones, of any feed. Loads of
        -- one table that merge end one after another, in whatever order they began.
        load_id = (
            SELECT last.load_id FROM landfall.ledger AS last
            WHERE last.target = {name} AND last.status = 'loaded' AND last.rows > 0
            ORDER BY last.started + make_interval(secs => coalesce(last.seconds, 0)) DESC
            LIMIT 1
        ) AS is_last
    FROM landfall.ledger
    WHERE target = {name}
)

SELECT
    load_id,
    entry.key,
    CASE
        WHEN entry.feed IS NULL THEN 'unknown'
        WHEN entry.status <> 'loaded' THEN 'replaced'
        WHEN coalesce(counted.rows, 0) < entry.rows THEN 'missing'
        ELSE 'too many'
    END AS what,
    CASE WHEN entry.status = 'loaded' THEN entry.rows ELSE 0 END AS loaded,
    coalesce(counted.rows, 0) AS counted
FROM entry FULL JOIN counted USING (load_id)
WHERE
    entry.feed IS NULL
    OR (
        entry.feed = {feed}
        AND CASE
            WHEN entry.status <> 'loaded' THEN {are_exact} AND counted.rows > 0
            WHEN {are_exact} THEN entry.rows <> coalesce(counted.rows, 0)
            ELSE counted.rows > entry.rows
                OR ({last_stays} AND entry.is_last AND counted.rows IS NULL)
        END
    )
ORDER BY load_id
