-- Keeps each cell of a column that Postgres refuses, for the whole staging of texts at once.
INSERT INTO {rejected} (number, line, position, column_name, reason, sqlstate, message, raw, cells)
SELECT
    t.number,
    t.line,
    {position},
    {column},
    'cell',
    refused.sql_error_code,
    refused.message,
    t.raw,
    t.cells
FROM {texts} AS t
CROSS JOIN LATERAL pg_input_error_info(t.{cell}, {type}) AS refused
WHERE NOT pg_input_is_valid(t.{cell}, {type})
