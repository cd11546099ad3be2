-- The loads whose rows this one takes the place of, itself included when it is run again.
UPDATE landfall.ledger
SET status = 'superseded'
WHERE feed = %(feed)s
  AND (%(whole_feed)s OR (bucket = %(bucket)s AND key = %(key)s))
  AND status = 'loaded'
  AND load_id <> %(load_id)s
RETURNING load_id
