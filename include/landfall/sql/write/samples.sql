-- Some of the rejected rows: the first of each reason, then the second of each.
WITH ranked AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY reason ORDER BY number) AS rank
    FROM pg_temp.landfall_rejects
),

chosen AS (
    SELECT *
    FROM ranked
    ORDER BY rank, number
    LIMIT %(limit)s
)

SELECT
    row_number AS number,
    key,
    member,
    line,
    column_name,
    reason,
    sqlstate,
    message,
    raw,
    (
        SELECT json_object_agg(name, cell)
        FROM unnest(%(names)s::text [], chosen.cells) AS cell (name, cell)
        WHERE chosen.cells IS NOT NULL
    ) AS cells,
    others.more
FROM chosen
LEFT JOIN pg_temp.landfall_more AS others ON chosen.number = others.number
ORDER BY chosen.number
