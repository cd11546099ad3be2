-- Extends the lease and notes the number of rows so far.
-- Returns 0 when another worker has the lease, or when the report has ended.
-- A lease may expire while Redis is away. If no other worker took it, this worker gets it back.
-- KEYS: record, lease. ARGV: token, milliseconds, rows.
local holder = redis.call('GET', KEYS[2])
if redis.call('HGET', KEYS[1], 'state') ~= 'running' or (holder and holder ~= ARGV[1]) then
    return 0
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[1], 'rows', ARGV[3])
return 1
