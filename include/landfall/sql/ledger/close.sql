-- Closes the row as loaded or superseded. Without a number of rows it keeps that of an earlier load.
UPDATE landfall.ledger
SET status = %(status)s,
    rows = coalesce(%(rows)s, rows, 0),
    rejected = coalesce(%(rejected)s, rejected, 0),
    deduplicated = coalesce(%(deduplicated)s, deduplicated, 0),
    reasons = coalesce(%(reasons)s, reasons),
    content_hash = %(content_hash)s,
    duplicate_of = %(duplicate_of)s,
    seconds = extract(epoch FROM clock_timestamp() - started)
WHERE load_id = %(load_id)s
