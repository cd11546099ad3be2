DELETE FROM {target} AS t
USING {undo} AS u
WHERE {same_key} AND NOT u._load_is_single
