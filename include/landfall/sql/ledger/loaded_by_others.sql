-- Of a page of new arrivals: one whose object another feed loaded into the same table. Its rows
-- would stay beside those of a version that came since, but where each file is the whole table.
SELECT listed.place, entry.feed
FROM json_to_recordset(%(page)s) AS listed (place integer, key text, version text)
INNER JOIN landfall.ledger AS entry USING (key)
WHERE
    entry.bucket = %(bucket)s
    AND entry.target = %(target)s
    AND entry.feed <> %(feed)s
    AND entry.status = 'loaded'
    AND (entry.version = listed.version OR NOT %(is_whole)s)
ORDER BY listed.place
LIMIT 1
