-- For each key that these loads changed: its rows before the first of them, and the digest of its rows
-- after the last. Where another change stands between two of them, the chain is broken.
CREATE TEMP TABLE landfall_undo ON COMMIT DROP AS
WITH steps AS (
    SELECT
        key,
        before,
        after,
        replaced_id,
        lag(after) OVER (PARTITION BY key ORDER BY replaced_id) AS previous
    FROM landfall.replaced
    WHERE load_id = ANY({load_ids}::bigint[])
),

chains AS (
    SELECT
        key,
        (array_agg(before ORDER BY replaced_id))[1] AS before,
        (array_agg(after ORDER BY replaced_id DESC))[1] AS after,
        bool_or(previous IS NOT NULL AND previous <> coalesce(md5(before::text), '')) AS is_broken
    FROM steps
    GROUP BY key
)

SELECT
    {key},
    chains.key AS _load_key,
    chains.before AS _load_before,
    chains.after AS _load_after,
    chains.is_broken AS _load_is_broken,
    NOT {is_scd2} AND chains.after <> '' AND coalesce(jsonb_array_length(chains.before) = 1, false)
        AS _load_is_single
FROM chains
CROSS JOIN LATERAL jsonb_populate_record(NULL::{target}, chains.key) AS k
