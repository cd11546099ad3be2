-- Puts the rows of a range into the target one by one, and keeps those that Postgres refuses. How many
-- went in is in the setting landfall.inserted. What a trigger raises for reasons of its own ends the
-- whole load: the row's number goes with it as the error's data type.
DECLARE
    _number bigint;
    _line bigint;
    _raw text;
    _cells text [];
    _message text;
    _detail text;
    _state text;
    _column text;
    _rows bigint;
    _inserted bigint := 0;
BEGIN
    FOR _number, _line, _raw, _cells IN
        SELECT t.number, t.line, t.raw, t.cells FROM {texts} AS t
        WHERE t.number BETWEEN {first} AND {last} ORDER BY t.number
    LOOP
        BEGIN
            {insert} WHERE number = _number;
            GET DIAGNOSTICS _rows = ROW_COUNT;
            _inserted := _inserted + _rows;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS _message = MESSAGE_TEXT, _detail = PG_EXCEPTION_DETAIL,
                _state = RETURNED_SQLSTATE, _column = COLUMN_NAME;
            IF left(_state, 2) NOT IN ('22', '23', '44', '54') THEN
                RAISE EXCEPTION USING ERRCODE = _state, MESSAGE = _message, DETAIL = _detail,
                    DATATYPE = _number::text;
            END IF;
            INSERT INTO {rejected} (number, line, column_name, reason, sqlstate, message, raw, cells)
            VALUES (
                _number, _line, nullif(_column, ''),
                CASE _state
                    WHEN '23502' THEN 'null' WHEN '23514' THEN 'check' WHEN '23505' THEN 'unique'
                    WHEN '23503' THEN 'foreign_key' WHEN '23P01' THEN 'exclusion'
                    ELSE 'row'
                END,
                _state,
                concat_ws('; ', _message, CASE WHEN _state IN ('23505', '23503', '23P01') THEN _detail END),
                _raw, _cells
            );
        END;
    END LOOP;
    PERFORM set_config('landfall.inserted', _inserted::text, true);
END
