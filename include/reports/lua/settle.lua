-- Ends a report as done or failed, or returns it to the waiting ones for another attempt.
-- Returns 0 when another worker has the lease.
-- When the answer was lost and the call is sent again, the report is counted once.
-- KEYS: record, lease, open reports. ARGV: token, id, seconds to keep, state, then names and values.
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'running' then
    return redis.call('HGET', KEYS[1], 'by') == ARGV[1] and 1 or 0
end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then
    return 0
end
redis.call('HSET', KEYS[1], 'state', ARGV[4], 'by', ARGV[1], unpack(ARGV, 5))
redis.call('DEL', KEYS[2])
if ARGV[4] == 'accepted' then
    return 1
end
if ARGV[4] == 'done' then
    redis.call('HINCRBY', KEYS[1], 'made', 1)
end
redis.call('SREM', KEYS[3], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
