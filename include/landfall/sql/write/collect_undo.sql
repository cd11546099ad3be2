-- For each key that these loads changed from one kept row on, and before another one: its rows before the
-- first of them, and the digest of its rows after the last. It is broken where another load had the key since,
-- or somebody changed its rows between two of these loads. Keys are compared by their types: one key may have
-- several spellings. A single row is updated in place; versions of scd2 are not, even where there is one.
CREATE TEMP TABLE landfall_undo ON COMMIT DROP AS
WITH steps AS (
    SELECT
        {key},
        replaced.key AS _load_key,
        replaced.before AS _load_before,
        replaced.after AS _load_after,
        replaced.replaced_id AS _load_step,
        lag(replaced.after) OVER (PARTITION BY {key} ORDER BY replaced.replaced_id) AS _load_previous
    FROM landfall.replaced
    CROSS JOIN LATERAL jsonb_to_record(replaced.key) AS k ({key_types})
    WHERE
        replaced.load_id = ANY({load_ids}::bigint [])
        AND replaced.is_changed
        -- By CASE, else the planner takes the range for a few rows, and joins them row by row.
        AND CASE WHEN replaced.replaced_id >= {first} THEN replaced.replaced_id < {end} END
),

chains AS (
    SELECT
        {names},
        min(_load_step) AS _load_first,
        (array_agg(_load_key ORDER BY _load_step))[1] AS _load_key,
        (array_agg(_load_before ORDER BY _load_step))[1] AS _load_before,
        (array_agg(_load_after ORDER BY _load_step DESC))[1] AS _load_after,
        bool_or(_load_previous <> coalesce(md5(_load_before::text), '')) AS _load_is_broken
    FROM steps
    GROUP BY {names}
)

SELECT
    {names},
    _load_key,
    _load_before,
    _load_after,
    coalesce(_load_is_broken, false) OR _load_first IN (
        SELECT own.replaced_id
        FROM (
            SELECT
                _load_key AS key,
                _load_first AS replaced_id
            FROM chains
        ) AS own
        {later}
        WHERE
            later.target = {name}
            AND later.replaced_id > own.replaced_id
            AND later.load_id <> ALL({load_ids}::bigint [])
    ) AS _load_is_broken,
    _load_after <> ''
    AND coalesce(jsonb_array_length(_load_before) = 1 AND NOT _load_before -> 0 ? '_valid_from', false)
        AS _load_is_single
FROM chains
