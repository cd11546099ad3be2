-- How many keys have other rows now than before the loads, and one of these keys. Only columns that a load
-- fills are compared: a trigger may write the time of a change into others.
WITH rows_of_keys AS (
    SELECT
        u._load_key,
        true AS is_present,
        {row} AS cells
    FROM {undo} AS u
    INNER JOIN {target} AS t ON {same_key}
    UNION ALL
    SELECT
        u._load_key,
        false,
        earlier.value
    FROM {undo} AS u
    CROSS JOIN LATERAL jsonb_array_elements(u._load_before) AS earlier
),

compared AS (
    SELECT
        _load_key,
        is_present,
        (
            SELECT jsonb_object_agg(c.key, c.value)
            FROM jsonb_each(cells) AS c
            WHERE c.value <> 'null' AND c.key = ANY({loaded}::text [])
        ) AS cells
    FROM rows_of_keys
)

SELECT
    count(*),
    min(_load_key::text)::jsonb
FROM (
    SELECT _load_key
    FROM compared
    GROUP BY _load_key
    HAVING
        jsonb_agg(cells ORDER BY cells) FILTER (WHERE is_present)
        IS DISTINCT FROM jsonb_agg(cells ORDER BY cells) FILTER (WHERE NOT is_present)
) AS different
