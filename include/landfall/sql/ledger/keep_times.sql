-- Takes the times of objects that came again unchanged, before they leave the bucket: a file has come.
UPDATE landfall.ledger AS entry
SET last_modified = listed.last_modified
FROM json_to_recordset(%(page)s) AS listed (key text, version text, last_modified timestamptz)
WHERE entry.feed = %(feed)s
    AND entry.bucket = %(bucket)s
    AND entry.key = listed.key
    AND entry.version = listed.version
    AND entry.status = 'loaded'
    AND entry.last_modified < listed.last_modified
