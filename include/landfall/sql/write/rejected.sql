-- The reasons of rejected rows, and a view of the rows: each with its first reason.
CREATE TEMP TABLE landfall_rejected (
    id bigint GENERATED ALWAYS AS IDENTITY,
    number bigint,
    line bigint,
    position integer,
    column_name text,
    reason text,
    sqlstate text,
    message text,
    raw text,
    cells text []
) ON COMMIT DROP;
CREATE TEMP VIEW landfall_rejects AS
SELECT DISTINCT ON (number)
    number,
    line,
    column_name,
    reason,
    sqlstate,
    message,
    raw,
    cells,
    id
FROM pg_temp.landfall_rejected
ORDER BY number, position, id;
