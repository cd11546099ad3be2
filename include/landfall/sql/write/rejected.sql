-- The reasons of rejected rows, the cells that become NULL instead (nulled), and views: the rows, each with its first reason, and their other ones.
CREATE TEMP TABLE landfall_rejected (
    id bigint GENERATED ALWAYS AS IDENTITY,
    number bigint,
    key text,
    member text,
    row_number bigint,
    line bigint,
    position integer,
    column_name text,
    reason text,
    sqlstate text,
    message text,
    raw text,
    cells text [],
    nulled boolean NOT NULL DEFAULT false
) ON COMMIT DROP;
CREATE TEMP VIEW landfall_rejects AS
SELECT DISTINCT ON (number)
    number,
    key,
    member,
    coalesce(row_number, number) AS row_number,
    line,
    column_name,
    reason,
    sqlstate,
    message,
    raw,
    cells,
    id
FROM pg_temp.landfall_rejected
WHERE NOT nulled
ORDER BY number, position, id;
CREATE TEMP VIEW landfall_more AS
SELECT
    number,
    jsonb_agg(jsonb_build_object(
        'column', column_name, 'reason', reason, 'sqlstate', sqlstate, 'message', message
    ) ORDER BY position, id) AS more
FROM (
    SELECT
        *,
        row_number() OVER (PARTITION BY number ORDER BY position, id) AS nth
    FROM pg_temp.landfall_rejected
) AS reasons
WHERE nth > 1
GROUP BY number;
