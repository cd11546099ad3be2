-- For each key that these loads changed: its rows before the first of them, and the digest of its rows
-- after the last. It is broken where another load had the key since, or somebody changed its rows
-- between two of these loads.
CREATE TEMP TABLE landfall_undo ON COMMIT DROP AS
WITH steps AS (
    SELECT
        *,
        lag(after) OVER (PARTITION BY key ORDER BY replaced_id) AS previous
    FROM landfall.replaced
    WHERE load_id = ANY({load_ids}::bigint []) AND is_changed
),

chains AS (
    SELECT
        key,
        min(replaced_id) AS first_id,
        (array_agg(before ORDER BY replaced_id))[1] AS before,
        (array_agg(after ORDER BY replaced_id DESC))[1] AS after,
        bool_or(previous <> coalesce(md5(before::text), '')) AS is_broken
    FROM steps
    GROUP BY key
)

SELECT
    {key},
    chains.key AS _load_key,
    chains.before AS _load_before,
    chains.after AS _load_after,
    coalesce(chains.is_broken, false) OR EXISTS (
        SELECT 1
        FROM landfall.replaced AS later
        WHERE
            later.key = chains.key
            AND later.target = {name}
            AND later.replaced_id > chains.first_id
            AND later.load_id <> ALL({load_ids}::bigint [])
    ) AS _load_is_broken,
    NOT {is_scd2} AND chains.after <> '' AND coalesce(jsonb_array_length(chains.before) = 1, false)
        AS _load_is_single
FROM chains
CROSS JOIN LATERAL jsonb_populate_record(NULL::{target}, chains.key) AS k
