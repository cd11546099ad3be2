-- Whether the target lacks the key of a row that was merged. Where rows were dropped it is false: the counts
-- tell that.
WITH taken AS (
    SELECT
        {key},
        {deletes} AS _load_deletes
    FROM {incoming} AS i
    WHERE NOT EXISTS (
        SELECT 1
        FROM {rejected} AS refused
        WHERE refused.number = i.{number} AND NOT refused.nulled
    )
)

SELECT
    (SELECT count(*) FROM taken) = {merged}
    AND EXISTS (
        SELECT 1
        FROM taken AS i
        WHERE
            NOT i._load_deletes
            AND NOT EXISTS (
                SELECT 1
                FROM {target} AS t
                WHERE {same_key}
            )
    )
