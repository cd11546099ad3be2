-- Reads every cell of every row of the staging of texts, and keeps each one that Postgres refuses.
DECLARE
    _number bigint;
    _line bigint;
    _raw text;
    cells text [];
    _message text;
    _state text;
BEGIN
    FOR _number, _line, _raw, cells IN SELECT t.number, t.line, t.raw, t.cells FROM {texts} AS t ORDER BY t.number LOOP
        BEGIN
            PERFORM {all_cells};
        EXCEPTION WHEN OTHERS THEN
            {each_cell}
        END;
        {nulls}
    END LOOP;
END
