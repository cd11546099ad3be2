-- Takes back the rejection of rows whose only bad cells are in columns where a bad cell becomes NULL, and
-- makes those cells NULL in the staging of texts.
WITH refused AS (
    SELECT DISTINCT number
    FROM pg_temp.landfall_rejected
    WHERE NOT (reason = 'cell' AND coalesce(position = ANY(%(positions)s), false))
),

nulled AS (
    UPDATE pg_temp.landfall_rejected
    SET nulled = true
    WHERE number NOT IN (SELECT number FROM refused)
    RETURNING number, position
),

bad AS (
    SELECT
        number,
        array_agg(position) AS positions
    FROM nulled
    GROUP BY number
)

UPDATE pg_temp.landfall_texts AS staged
SET cells = ARRAY(
    SELECT CASE WHEN cell.place <> ALL(bad.positions) THEN cell.text END
    FROM unnest(staged.cells) WITH ORDINALITY AS cell (text, place)
    ORDER BY cell.place
)
FROM bad
WHERE staged.number = bad.number
