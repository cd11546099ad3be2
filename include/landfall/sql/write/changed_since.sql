-- How many keys have other rows now than after the loads, and one of these keys.
SELECT
    count(*),
    min(_load_key::text)
FROM (
    SELECT u._load_key
    FROM {undo} AS u
    LEFT JOIN {target} AS t ON {same_key}
    GROUP BY u._load_key, u._load_after, u._load_is_broken
    HAVING
        u._load_is_broken
        OR u._load_after <> coalesce(
            md5((jsonb_agg(to_jsonb(t.*) ORDER BY to_jsonb(t.*)::text) FILTER (WHERE {first} IS NOT NULL))::text),
            ''
        )
) AS changed
