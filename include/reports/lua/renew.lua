-- Holds the lease for longer, and tells how far the report is; 0 when it is another's, or over.
-- A lease that ran out while Redis was away, and that nobody has taken since, is taken up again.
-- KEYS: record, lease. ARGV: token, milliseconds, rows.
local holder = redis.call('GET', KEYS[2])
if redis.call('HGET', KEYS[1], 'state') ~= 'running' or (holder and holder ~= ARGV[1]) then
    return 0
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[1], 'rows', ARGV[3])
return 1
