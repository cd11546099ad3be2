-- Ends the current version of each key that the file does not have.
UPDATE {target} AS t
SET
    _valid_to = {moment},
    _is_current = false
WHERE
    t._is_current
    AND NOT EXISTS (
        SELECT 1
        FROM {incoming} AS i
        WHERE {same_key}
    )
