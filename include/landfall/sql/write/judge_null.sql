IF {cell} IS NULL THEN
    INSERT INTO {rejected} (number, line, column_name, reason, sqlstate, message, raw, cells)
    VALUES (_number, _line, {column}, 'null', '23502', 'a cell is NULL in a column that takes none', _raw, cells);
END IF;
