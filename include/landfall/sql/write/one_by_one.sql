-- Takes rows one by one, and keeps those that Postgres refuses. How many were taken is in the setting
-- landfall.taken, and whether rows stay that a step takes away in landfall.remain. What a trigger raises for
-- reasons of its own ends the whole load: the row's number goes with it as the error's data type, and where it
-- was raised as its constraint.
DECLARE
    _load_number bigint;
    _load_message text;
    _load_detail text;
    _load_hint text;
    _load_context text;
    _load_state text;
    _load_column text;
    _load_rows bigint;
    _load_taken bigint := 0;
    _load_remain boolean := false;
BEGIN
    FOR _load_number IN {numbers} LOOP
        BEGIN
            {steps}
            _load_taken := _load_taken + {taken};
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS _load_message = MESSAGE_TEXT, _load_detail = PG_EXCEPTION_DETAIL,
                _load_state = RETURNED_SQLSTATE, _load_column = COLUMN_NAME,
                _load_hint = PG_EXCEPTION_HINT, _load_context = PG_EXCEPTION_CONTEXT;
            IF left(_load_state, 2) NOT IN ('22', '23', '44', '54') THEN
                RAISE EXCEPTION USING ERRCODE = _load_state, MESSAGE = _load_message,
                    DETAIL = _load_detail, HINT = _load_hint, DATATYPE = _load_number::text,
                    CONSTRAINT = _load_context;
            END IF;
            INSERT INTO {rejected} (number, line, column_name, reason, sqlstate, message, raw, cells)
            SELECT
                _load_number, texts.line, nullif(_load_column, ''),
                CASE _load_state
                    WHEN '23502' THEN 'null' WHEN '23514' THEN 'check' WHEN '23505' THEN 'unique'
                    WHEN '23503' THEN 'foreign_key' WHEN '23P01' THEN 'exclusion'
                    ELSE 'row'
                END,
                _load_state,
                concat_ws(
                    '; ', _load_message,
                    CASE WHEN _load_state IN ('23505', '23503', '23P01') THEN _load_detail END
                ),
                texts.raw, texts.cells
            FROM (SELECT) AS one
            LEFT JOIN {texts} AS texts ON texts.number = _load_number;
        END;
    END LOOP;
    PERFORM set_config('landfall.taken', _load_taken::text, true);
    PERFORM set_config('landfall.remain', _load_remain::text, true);
END
