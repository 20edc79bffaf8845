-- Takes over the session's running turn if its lease is over, or begins its next one if none runs.
local worker, lease_ms = ARGV[1], tonumber(ARGV[2])
local held = redis.call('HMGET', session, 'running', 'lease', 'released', 'crashes', 'run', 'head', 'stop')
local turn, lease = held[1], held[2]
if not turn then return begin_next(worker, lease_ms) or { 'idle', redis.call('HGETALL', spent) } end
if tonumber(lease) > server_time() then return { 'held' } end

local crashes = (tonumber(held[4]) or 0) + 1 - (tonumber(held[3]) or 0)
local run = server_run()
local epoch = next_epoch()
redis.call('HDEL', session, 'released')
redis.call('HSET', session, 'running_epoch', epoch, 'worker', worker, 'run', run, 'lease', server_time() + lease_ms,
  'crashes', crashes)
return {
  'lapsed', tonumber(turn), epoch, crashes, held[7] and 1 or 0, run == held[5] and 0 or 1,
  redis.call('XRANGE', running_log, '-', '+'), facts_of(turn),
}
