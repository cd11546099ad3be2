-- Removes a version in whose place another one of the same moment comes, or that is deleted at once.
DELETE FROM {target} AS t
USING {timeline} AS i
WHERE {same_key} AND t._valid_from = i._load_moment AND i._load_source = 2 AND i._load_replaces
