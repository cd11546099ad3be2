-- Where a load replaces the whole feed: a newer object that is loaded already. S3 tells times to the
-- second; within one the last key wins, whichever is loaded first. Versions of one object are not
-- compared by time: the one that the bucket shows is the newest.
SELECT load_id, loaded_by
FROM landfall.ledger
WHERE feed = %(feed)s
  AND %(replaces_feed)s
  AND (bucket, key) <> (%(bucket)s, %(key)s)
  AND status = 'loaded'
  AND (last_modified, key) > (%(last_modified)s, %(key)s)
ORDER BY last_modified DESC, key DESC
LIMIT 1
