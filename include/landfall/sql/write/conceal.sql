-- Takes out what the feed does not want to be kept: all but the first 200 characters (cut), the texts
-- (hashed, count), and of a feed with secret columns the texts and the messages that may quote them.
UPDATE pg_temp.landfall_rejected
SET
    raw = CASE
        WHEN %(keep)s = 'cut' AND NOT hidden.has_secrets THEN left(raw, 200)
        WHEN %(keep)s <> 'count' THEN encode(sha256(convert_to(raw, 'UTF8')), 'hex')
    END,
    cells = NULL,
    message = CASE
        WHEN reason IN ('fields', 'quote', 'carriage_return', 'encoding', 'zero_byte', 'too_long', 'null')
            THEN message
        WHEN %(keep)s IN ('hashed', 'count')
            OR hidden.has_secrets AND (reason <> 'cell' OR column_name = ANY(%(secret)s))
            THEN 'the message is not kept, because it may quote the row'
        ELSE message
    END
FROM (SELECT cardinality(%(secret)s::text []) > 0 AS has_secrets) AS hidden
