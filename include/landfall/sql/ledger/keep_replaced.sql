-- Says for how long what a load replaced is kept, and lets go what was kept long enough. An earlier run
-- of the load that did not keep it cannot be undone, so then nothing is promised.
WITH old AS (
    DELETE FROM landfall.replaced AS r
    USING landfall.ledger AS l
    WHERE r.load_id = l.load_id AND l.feed = %(feed)s AND l.kept_until < clock_timestamp()
)

UPDATE landfall.ledger
SET kept_until = clock_timestamp() + make_interval(days => %(days)s)
WHERE load_id = %(load_id)s AND (coalesce(rows, 0) = 0 OR kept_until > clock_timestamp())
