-- Deletes the rows of each key that the file does not have. A row of others with NULL in its key stays.
DELETE FROM {target} AS t
WHERE
    ROW({key_of_t}) IS NOT NULL
    AND NOT EXISTS (
        SELECT 1
        FROM {incoming} AS i
        WHERE {same_key}
    )
