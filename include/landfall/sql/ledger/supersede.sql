-- The loads whose rows this load replaces.
UPDATE landfall.ledger
SET
    status = 'superseded',
    error = NULL,
    failed_at = NULL,
    retry_after = NULL
WHERE feed = %(feed)s
  AND (%(replaces_feed)s OR (bucket = %(bucket)s AND key = %(key)s))
  AND status = 'loaded'
  AND load_id <> %(load_id)s
RETURNING load_id
