-- Gives the lease to one worker at a time. Another worker gets the milliseconds that the lease has
-- left. When the answer was lost and the call is sent again, it counts as one attempt.
-- KEYS: record, lease. ARGV: token, milliseconds, time.
local state = redis.call('HGET', KEYS[1], 'state')
if not state then
    return {'unknown', 0}
end
if state == 'done' or state == 'failed' then
    return {state, 0}
end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then
    return {'held', redis.call('PTTL', KEYS[2])}
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
if not holder then
    redis.call('HINCRBY', KEYS[1], 'attempts', 1)
    redis.call('HSET', KEYS[1], 'state', 'running', 'started', ARGV[3], 'rows', 0)
end
return {'taken', tonumber(redis.call('HGET', KEYS[1], 'attempts'))}
