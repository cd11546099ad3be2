-- Keeps each row with a NULL in a column that takes none, unless the row deletes its key.
INSERT INTO {rejected} (number, line, position, column_name, reason, sqlstate, message, raw, cells)
SELECT
    t.number,
    t.line,
    {position},
    {column},
    'null',
    '23502',
    'a cell is NULL in a column that takes none',
    t.raw,
    t.cells
FROM {texts} AS t
WHERE t.{cell} IS NULL AND NOT {deletes}
