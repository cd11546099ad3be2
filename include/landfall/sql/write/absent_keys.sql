-- The keys that are current in the target and that the file does not have.
SELECT {key}
FROM {target} AS t
WHERE
    {is_current}
    AND NOT EXISTS (
        SELECT 1
        FROM {incoming} AS i
        WHERE {same_key}
    )
