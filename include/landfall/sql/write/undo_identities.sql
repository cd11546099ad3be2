-- A row that had another value in a column GENERATED ALWAYS AS IDENTITY is deleted and inserted: no UPDATE
-- changes such a column.
UPDATE {undo} AS u
SET _load_is_single = false
FROM {target} AS t
WHERE {same_key} AND u._load_is_single AND ({other_identity})
