-- ARGV: the session's id, turn, now, then status and log of a turn that has not begun.
local id, turn, now = ARGV[1], ARGV[2], ARGV[3]
local status = status_of(turn)
if not status then return { 'turn_not_found' } end
if status == 'running' then
  redis.call('HSET', session, 'stop', 1)
  redis.call('PUBLISH', 'chat:worker:' .. redis.call('HGET', session, 'worker'), 'stop ' .. id .. ' ' .. turn)
elseif status == 'queued' then
  redis.call('ZREM', queue, turn)
  redis.call('HSET', turns, turn .. ':status', ARGV[4], turn .. ':ended', now)
  keep_log(turn, ARGV[5], 6, last_value)
  redis.call('HSET', session, 'updated', now)
  redis.call('PUBLISH', wake, turn)
end
return { status }
