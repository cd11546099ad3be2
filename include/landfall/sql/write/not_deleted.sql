-- How many keys have rows still that the undo deletes, and one of these keys.
SELECT
    count(DISTINCT u._load_key),
    min(u._load_key::text)::jsonb
FROM {undo} AS u
INNER JOIN {target} AS t ON {same_key}
WHERE NOT u._load_is_single
