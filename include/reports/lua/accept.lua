-- Keeps reports and hands each to the workers, both or neither; what is kept stays as it is. Many at
-- once, because Redis then writes to its disk once. Answers the kept request and state of each.
-- KEYS: open reports, queue, then each record. ARGV: time, then of each: id, request, object, message.
local answers = {}
for n = 1, #KEYS - 2 do
    local record, at = KEYS[n + 2], 4 * n - 2
    local request = redis.call('HGET', record, 'request')
    if not request then
        request = ARGV[at + 1]
        redis.call('HSET', record, 'request', request, 'object', ARGV[at + 2],
            'state', 'accepted', 'accepted', ARGV[1], 'rows', 0, 'attempts', 0, 'made', 0)
        redis.call('SADD', KEYS[1], ARGV[at])
        redis.call('LPUSH', KEYS[2], ARGV[at + 3])
    end
    answers[n] = {request, redis.call('HGET', record, 'state')}
end
return answers
