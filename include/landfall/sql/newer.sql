-- A newer version that is loaded already: of the same object, or for `replace` of the feed.
SELECT load_id, loaded_by
FROM landfall.ledger
WHERE feed = %(feed)s
  AND (%(whole_feed)s OR (bucket = %(bucket)s AND key = %(key)s))
  AND status = 'loaded'
  AND last_modified > %(last_modified)s
ORDER BY last_modified DESC
LIMIT 1
