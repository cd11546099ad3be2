-- Keeps why rejects were refused once more, and the cells that a person gave them.
UPDATE landfall.rejects AS reject
SET
    column_name = first.column_name,
    reason = first.reason,
    sqlstate = first.sqlstate,
    message = first.message,
    more = others.more,
    cells = jsonb_object(%(names)s::text [], first.cells)
FROM pg_temp.landfall_rejects AS first
LEFT JOIN pg_temp.landfall_more AS others ON first.number = others.number
WHERE reject.reject_id = first.number
