-- The columns that have values in the rows to bring back, and that the target does not have.
SELECT DISTINCT cell.name
FROM {undo} AS u
CROSS JOIN LATERAL jsonb_array_elements(u._load_before) AS b (cells)
CROSS JOIN LATERAL jsonb_object_keys(b.cells) AS cell (name)
WHERE cell.name <> ALL({there}::text [])
ORDER BY cell.name
