-- Some of the rejected rows: the first of each reason, then the second of each, up to so many rows and bytes.
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
),

sized AS (
    SELECT
        chosen.*,
        others.more,
        sum(
            octet_length(concat(chosen.message, chosen.raw, chosen.cells::text, others.more::text))
        ) OVER (ORDER BY chosen.rank, chosen.number) AS bytes
    FROM chosen
    LEFT JOIN pg_temp.landfall_more AS others ON chosen.number = others.number
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
    json_object(%(names)s::text [], sized.cells) AS cells,
    more
FROM sized
-- The first is there, whatever its size: the error is about it.
WHERE bytes <= %(bytes)s OR rank = 1 AND number = (SELECT min(number) FROM sized)
ORDER BY sized.number
