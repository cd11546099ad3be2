-- The keys of the target that the file does not have.
SELECT {key}
FROM {target} AS t
WHERE
    {is_current}
    AND ROW({key_of_t}) IS NOT NULL
    AND NOT EXISTS (
        SELECT 1
        FROM {incoming} AS i
        WHERE {same_key}
    )
