-- A newer object that is loaded already, where each file is the whole table. Versions of one object are
-- not compared: what the bucket shows is what counts. S3 tells times to the second; within one the last
-- key wins, whichever is loaded first.
SELECT load_id, loaded_by
FROM landfall.ledger
WHERE feed = %(feed)s
  AND status = 'loaded'
  AND %(in_order)s
  AND (bucket, key) <> (%(bucket)s, %(key)s)
  AND (last_modified, key COLLATE "C") > (%(last_modified)s, %(key)s)
ORDER BY last_modified DESC, key COLLATE "C" DESC
LIMIT 1
