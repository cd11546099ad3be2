-- Ends a version where another one begins. It keeps the id of the load that brought it.
UPDATE {target} AS t
SET
    _valid_to = i._load_ends,
    _is_current = i._load_ends IS NULL
FROM {timeline} AS i
WHERE
    {same_key}
    AND t._valid_from = i._load_moment
    AND i._load_source = 1
    AND t._valid_to IS DISTINCT FROM i._load_ends
