-- The latest load that brought rows of the table's last pages. Such statements are joined by UNION ALL.
SELECT max(t.{load_id})
FROM {target} AS t
WHERE t.ctid >= {first_page}::tid
