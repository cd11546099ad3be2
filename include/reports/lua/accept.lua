-- Keeps new reports and queues their messages, both or neither. A report that is kept already does
-- not change. One call accepts many reports, so that Redis writes to its disk only once.
-- Returns for each report the kept request and the state.
-- KEYS: open reports, queue, then the record of each report.
-- ARGV: time, then for each report: id, request, object key, message.
local answers = {}
for n = 1, #KEYS - 2 do
    local record, first = KEYS[n + 2], 4 * n - 2
    local request = redis.call('HGET', record, 'request')
    if not request then
        request = ARGV[first + 1]
        redis.call('HSET', record, 'request', request, 'object', ARGV[first + 2],
            'state', 'accepted', 'accepted', ARGV[1], 'rows', 0, 'attempts', 0, 'made', 0)
        redis.call('SADD', KEYS[1], ARGV[first])
        redis.call('LPUSH', KEYS[2], ARGV[first + 3])
    end
    answers[n] = {request, redis.call('HGET', record, 'state')}
end
return answers
