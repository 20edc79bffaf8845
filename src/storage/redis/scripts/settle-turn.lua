-- The end of a turn, once: its whole log as its worker has it, its status, and the beginning of the session's next turn.
local turn, epoch, status, now, length, has_text = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local worker, lease_ms, begins_next, is_repeated, cost = ARGV[7], tonumber(ARGV[8]), ARGV[9], ARGV[10], ARGV[11]
local ends = ARGV[12]

if not is_held(turn, epoch) then
  -- Whose settling was done but not answered asks again.
  if is_repeated == '0' or fact(turn, 'epoch') ~= epoch then return { 'lease_lost' } end
  local now_running = redis.call('HMGET', session, 'running', 'running_epoch', 'worker', 'begun_after')
  if now_running[3] ~= worker or now_running[4] ~= epoch then return { 'settled', 0 } end
  return { 'begun', tonumber(now_running[1]), tonumber(now_running[2]), facts_of(now_running[1]) }
end

redis.call('HSET', turns, turn .. ':status', status, turn .. ':ended', now, turn .. ':epoch', epoch)
redis.call('HINCRBY', turns, turn .. ':length', length)
keep_log(turn, ends, 13, #ARGV)
redis.call('DEL', running_log)
if has_text == '1' and in_dialogue(turn) then redis.call('ZADD', answered, turn, turn) end
redis.call('HDEL', session, 'running', 'running_epoch', 'worker', 'run', 'lease', 'head', 'stop', 'released', 'crashes', 'begun_after')
redis.call('HSET', session, 'updated', now)
if cost ~= '' then
  local whose = redis.call('HMGET', session, 'owner', 'username')
  redis.call('HSET', spent, 'owner', whose[1], 'username', whose[2], turn, cost)
end
redis.call('PUBLISH', wake, turn)
local begun = begins_next == '1' and begin_next(worker, lease_ms)
if not begun then return { 'settled', redis.call('ZCARD', queue) } end
redis.call('HSET', session, 'begun_after', epoch)
return begun
