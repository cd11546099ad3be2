-- The timeline of each key that the file changes: what is valid from which moment to which. Sources are
-- the ends of the target's versions (0), their beginnings (1) and the rows of the file (2); of one moment
-- the last source counts. A row that changes nothing of what is valid before it is left out.
CREATE TEMP TABLE landfall_timeline ON COMMIT DROP AS
WITH keys AS (
    SELECT DISTINCT {key}
    FROM {incoming} AS i
    WHERE {rows}
),

events AS (
    SELECT
        {key_of_t},
        t._valid_from AS _load_moment,
        1 AS _load_source,
        false AS _load_closes,
        NULL::bigint AS {number},
        {values_of_t}
    FROM {target} AS t
    INNER JOIN keys AS i ON {same_key}
    UNION ALL
    SELECT
        {key_of_i},
        {moment},
        2,
        {deletes},
        i.{number},
        {values_of_i}
    FROM {incoming} AS i
    WHERE {rows}
    UNION ALL
    SELECT
        {key_of_t},
        t._valid_to,
        0,
        true,
        NULL,
        {values_of_t}
    FROM {target} AS t
    INNER JOIN keys AS i ON {same_key}
    WHERE t._valid_to IS NOT NULL
),

compared AS (
    SELECT
        *,
        (
            coalesce(lag(_load_closes) OVER earlier, true) <> _load_closes
            OR NOT _load_closes AND ({aliases}) IS DISTINCT FROM ({earlier_values})
        ) AS _load_is_change
    FROM events
    WINDOW earlier AS (PARTITION BY {key} ORDER BY _load_moment, _load_source)
),

moments AS (
    SELECT DISTINCT ON ({key}, _load_moment)
        *,
        bool_or(_load_source = 1) OVER (PARTITION BY {key}, _load_moment) AS _load_replaces
    FROM compared
    WHERE _load_source < 2 OR _load_is_change
    ORDER BY {key}, _load_moment, _load_source DESC
)

SELECT
    {key},
    _load_moment,
    _load_source,
    _load_closes,
    _load_replaces,
    {number},
    lead(_load_moment) OVER (PARTITION BY {key} ORDER BY _load_moment) AS _load_ends
FROM moments
