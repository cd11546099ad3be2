-- From which kept row on the target had which columns, while these loads merged. An earlier version of
-- Landfall kept no columns.
SELECT
    replaced_id,
    columns
FROM (
    SELECT
        replaced_id,
        columns,
        row_number() OVER (ORDER BY replaced_id) AS place
    FROM landfall.replaced
    WHERE load_id = ANY({load_ids}::bigint [])
) AS kept
WHERE place = 1 OR columns IS NOT NULL
ORDER BY replaced_id
