-- The time of a merge: the clock's, or right after the latest time in the target where the clock went back.
SELECT
    greatest(
        {moment},
        max(greatest(t._valid_from, CASE WHEN NOT t._is_current THEN t._valid_to END)) + interval '1 microsecond'
    )
FROM {target} AS t {of_file}
WHERE t._valid_from < 'infinity' AND (t._is_current OR t._valid_to < 'infinity')
