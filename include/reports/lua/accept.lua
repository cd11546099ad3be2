-- Keeps a report and hands it to the workers, both or neither; a report that is kept stays as it is.
-- KEYS: record, open reports, queue. ARGV: id, request, object key, time, message.
local kept = redis.call('HGET', KEYS[1], 'request')
if kept then
    return {kept, redis.call('HGET', KEYS[1], 'state')}
end
redis.call('HSET', KEYS[1], 'request', ARGV[2], 'object', ARGV[3], 'state', 'accepted',
    'accepted', ARGV[4], 'rows', 0, 'attempts', 0, 'made', 0)
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('LPUSH', KEYS[3], ARGV[5])
return {ARGV[2], 'accepted'}
