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
    number,
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
    (
        SELECT
            json_agg(json_build_object(
                'column', other.column_name, 'reason', other.reason,
                'sqlstate', other.sqlstate, 'message', other.message
            ) ORDER BY other.position, other.id)
        FROM pg_temp.landfall_rejected AS other
        WHERE other.number = chosen.number AND other.id <> chosen.id
    ) AS more
FROM chosen
ORDER BY number
