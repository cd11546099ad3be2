-- How many keys have other rows now than after the loads, and one of these keys. NULLs do not count: the
-- table may have got columns since.
SELECT
    count(*),
    min(_load_key::text)::jsonb
FROM (
    SELECT u._load_key
    FROM {undo} AS u
    LEFT JOIN {target} AS t ON {same_key}
    GROUP BY u._load_key, u._load_after, u._load_is_broken
    HAVING
        u._load_is_broken
        OR u._load_after <> coalesce(
            md5((
                jsonb_agg(
                    (
                        SELECT jsonb_object_agg(c.key, c.value)
                        FROM jsonb_each({row}) AS c
                        WHERE c.value <> 'null'
                    )
                    ORDER BY {row}::text
                ) FILTER (WHERE {first_of_key} IS NOT NULL)
            )::text),
            ''
        )
) AS changed
