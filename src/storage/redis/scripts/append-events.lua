-- ARGV: turn, epoch, the head that the worker knows, the new head, then place, type and data of each event.
local held = redis.call('HMGET', session, 'running', 'running_epoch', 'head')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then return { 'lease_lost' } end
if held[3] ~= ARGV[3] then return { 'position_refused', held[3] } end
for index = 5, #ARGV, 3 do redis.call('XADD', running_log, ARGV[index], ARGV[index + 1], ARGV[index + 2]) end
redis.call('HSET', session, 'head', ARGV[4])
redis.call('PUBLISH', wake, ARGV[1])
return 1
