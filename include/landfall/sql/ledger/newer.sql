-- A newer version that is loaded already: where each file is the whole table, of another object;
-- of the same object only where both have a version id, whose times the store itself gives. S3 tells
-- times to the second; within one the last key wins, whichever is loaded first.
SELECT load_id, loaded_by
FROM landfall.ledger
WHERE feed = %(feed)s
  AND status = 'loaded'
  AND CASE
      WHEN (bucket, key) = (%(bucket)s, %(key)s) THEN version_id IS NOT NULL AND %(version_id)s::text IS NOT NULL
      ELSE %(in_order)s
  END
  AND (last_modified, key COLLATE "C") > (%(last_modified)s, %(key)s)
ORDER BY last_modified DESC, key COLLATE "C" DESC
LIMIT 1
