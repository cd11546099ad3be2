-- Of a page of new arrivals: one that another feed loaded into the same table.
SELECT listed.place, entry.feed
FROM json_to_recordset(%(page)s) AS listed (place integer, key text, version text)
INNER JOIN landfall.ledger AS entry USING (key, version)
WHERE
    entry.bucket = %(bucket)s
    AND entry.target = %(target)s
    AND entry.feed <> %(feed)s
    AND entry.status = 'loaded'
ORDER BY listed.place
LIMIT 1
