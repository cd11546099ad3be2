-- The target's rows of each key, as JSON; NULL where it has none. A row is kept without its NULLs: a column
-- that a later load adds to the table is NULL in it, and is no change of the row.
SELECT
    {key_of_i},
    jsonb_agg(
        (SELECT jsonb_object_agg(c.key, c.value) FROM jsonb_each({row}) AS c WHERE c.value <> 'null')
        ORDER BY {row}::text
    ) FILTER (WHERE {first_of_t} IS NOT NULL) AS _load_rows
FROM ({keys}) AS i
LEFT JOIN {target} AS t ON {same_key}
GROUP BY {key_of_i}
