-- The target's rows of each key, as JSON; NULL where it has none.
SELECT
    {key_of_i},
    jsonb_agg(to_jsonb(t.*) ORDER BY to_jsonb(t.*)::text) FILTER (WHERE {first_of_t} IS NOT NULL) AS _load_rows
FROM ({keys}) AS i
LEFT JOIN {target} AS t ON {same_key}
GROUP BY {key_of_i}
