-- A newer version that is loaded already: of the same object or, where a load replaces the whole
-- feed, of any object. S3 tells times to the second; within one the last key wins, whichever is
-- loaded first.
SELECT load_id, loaded_by
FROM landfall.ledger
WHERE feed = %(feed)s
  AND (%(replaces_feed)s OR (bucket = %(bucket)s AND key = %(key)s))
  AND status = 'loaded'
  AND (last_modified, key) > (%(last_modified)s, %(key)s)
ORDER BY last_modified DESC, key DESC
LIMIT 1
