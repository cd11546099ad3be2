-- Of a page of new arrivals: one whose folder is loaded part by part, and is one arrival now, or the
-- other way round. Its rows would be there twice.
SELECT listed.place, entry.key
FROM json_to_recordset(%(page)s) AS listed (place integer, key text)
INNER JOIN landfall.ledger AS entry
    ON regexp_replace(entry.key, '[^/]+$', '') = regexp_replace(listed.key, '[^/]+$', '')
WHERE
    entry.feed = %(feed)s
    AND entry.bucket = %(bucket)s
    AND entry.target = %(target)s
    AND entry.status = 'loaded'
    AND (right(entry.key, 1) = '/') <> %(are_folders)s
ORDER BY listed.place
LIMIT 1
