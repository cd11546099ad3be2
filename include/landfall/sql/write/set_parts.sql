-- Fills in of which part of the arrival each rejected row is, and its number there.
UPDATE pg_temp.landfall_rejected AS rejected SET
    key = part.key,
    member = part.member,
    row_number = rejected.number - part.first + 1
FROM unnest(%(keys)s::text [], %(members)s::text [], %(firsts)s::bigint [])
    WITH ORDINALITY AS part (key, member, first, position)
WHERE part.position = width_bucket(rejected.number, %(firsts)s::bigint [])
