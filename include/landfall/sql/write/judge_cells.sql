-- Reads cells of every row of the staging of texts, and keeps each one that Postgres refuses, up to as
-- many rows as refuse the whole file.
DECLARE
    _number bigint;
    _line bigint;
    _raw text;
    cells text [];
    _message text;
    _state text;
    _refused bigint := 0;
    {variables}
BEGIN
    FOR _number, _line, _raw, cells IN SELECT t.number, t.line, t.raw, t.cells FROM {texts} AS t ORDER BY t.number LOOP
        BEGIN
            {all_cells}
        EXCEPTION WHEN OTHERS THEN
            _refused := _refused + 1;
            {each_cell}
        END;
        EXIT WHEN _refused > {enough};
    END LOOP;
END
