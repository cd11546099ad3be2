BEGIN
    {read};
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS _message = MESSAGE_TEXT, _state = RETURNED_SQLSTATE;
    IF left(_state, 2) NOT IN ('22', '23', '54') THEN RAISE; END IF;
    INSERT INTO {rejected} (number, line, position, column_name, reason, sqlstate, message, raw, cells)
    VALUES (_number, _line, {position}, {column}, 'cell', _state, _message, _raw, cells);
END;
