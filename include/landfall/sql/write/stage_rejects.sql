-- Puts the cells of open rejects into the staging of texts, in place of numbers their ids, and locks the
-- rejects until the replay commits. Cells that a person has edited stand in landfall_edited; where it
-- has any row, no other reject is taken.
WITH taken AS MATERIALIZED (
    SELECT
        reject.reject_id,
        reject.line,
        reject.raw,
        reject.cells
    FROM landfall.rejects AS reject
    WHERE
        reject.load_id = %(load_id)s
        AND reject.state = 'open'
        AND (%(reason)s::text IS NULL OR reject.reason = %(reason)s)
        AND (NOT %(is_edited)s OR reject.reject_id IN (SELECT reject_id FROM pg_temp.landfall_edited))
    ORDER BY reject.reject_id
    FOR UPDATE
)

INSERT INTO pg_temp.landfall_texts (number, line, raw, cells)
SELECT
    taken.reject_id,
    taken.line,
    taken.raw,
    ARRAY(
        SELECT
            CASE
                WHEN edited.cells IS NULL OR edited_column.place IS NULL THEN taken.cells ->> declared.name
                ELSE edited.cells[edited_column.place]
            END
        FROM unnest(%(names)s::text []) WITH ORDINALITY AS declared (name, nth)
        LEFT JOIN unnest(%(edited_names)s::text []) WITH ORDINALITY AS edited_column (name, place)
            ON declared.name = edited_column.name
        ORDER BY declared.nth
    )
FROM taken
LEFT JOIN pg_temp.landfall_edited AS edited ON taken.reject_id = edited.reject_id
WHERE edited.cells IS NOT NULL OR taken.cells IS NOT NULL
