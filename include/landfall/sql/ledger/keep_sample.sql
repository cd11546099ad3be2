-- Keeps a sample of the rows for which a file was refused.
INSERT INTO landfall.rejects (
    load_id, feed, bucket, key, version,
    member, line, row_number, column_name, reason, sqlstate, message, raw, cells, more, state
) VALUES (
    %(load_id)s, %(feed)s, %(bucket)s, %(key)s, %(version)s,
    %(member)s, %(line)s, %(number)s, %(column_name)s, %(reason)s, %(sqlstate)s, %(message)s, %(raw)s,
    %(cells)s, %(more)s, 'sample'
)
