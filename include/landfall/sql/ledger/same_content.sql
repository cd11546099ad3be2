-- The first load of the same content from an object of another key, whose rows are in the table or were
-- when this load began.
SELECT load_id, key, started
FROM landfall.ledger
WHERE feed = %(feed)s
  AND target = %(target)s
  AND content_hash = %(content_hash)s
  AND (bucket, key) <> (%(bucket)s, %(key)s)
  AND (status = 'loaded' OR load_id = ANY(%(replaced)s))
ORDER BY load_id
LIMIT 1
