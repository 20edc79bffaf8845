-- The one acceptance point. Whatever is refused is refused before the first write.
local id, now, kind, prompt, length, replaces = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local if_busy, if_turn, key, fingerprint = ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local worker, lease_ms, most_queued, sent_ms = ARGV[11], tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local title = ARGV[15]
-- What is known of the owner beforehand: nothing more may begin at the moment, or be spent.
local may_not_begin, may_not_spend = ARGV[16] == '1', ARGV[17] == '1'
-- So many outdated keys go with each new one: more than come, so that they become fewer.
local removed_keys = 8

local newest = redis.call('HGET', session, 'newest')
local oldest_sent = now - sent_ms

local known = key ~= '' and find_sent(key, fingerprint, oldest_sent)
if known then return known end

if if_turn ~= '' and if_turn ~= newest then return { 'stale_turn', tonumber(if_turn), tonumber(newest) } end

local running = redis.call('HGET', session, 'running')
local waiting = redis.call('ZRANGE', queue, 0, -1)
local is_busy = running or #waiting > 0
if is_busy and (if_busy == 'reject' or kind == 'continue') then
  local first
  for _, turn in ipairs(waiting) do first = math.min(first or math.huge, tonumber(turn)) end
  return { 'turn_in_progress', tonumber(running or first or newest) }
end
if is_busy and #waiting >= most_queued then return { 'queue_full' } end

local continues = ''
if kind == 'prompt' then
  if replaces ~= '' and not in_dialogue(replaces) then return { 'stale_turn', tonumber(replaces), tonumber(newest) } end
elseif newest == '0' then
  return { kind == 'regenerate' and 'nothing_to_regenerate' or 'not_continuable' }
elseif kind == 'regenerate' then
  -- The prompt of an answer in several parts is that of the first.
  local first = newest
  while fact(first, 'continues') do first = fact(first, 'continues') end
  prompt, length, replaces = fact(first, 'prompt'), fact(first, 'prompt_length'), first
else
  -- A continuation that came to nothing leaves the answer as it was.
  local last = newest
  while fact(last, 'continues') and not redis.call('ZSCORE', answered, last) do last = fact(last, 'continues') end
  local status = fact(last, 'status')
  local ended_early = status == 'incomplete' or status == 'stopped' or status == 'interrupted'
  if not ended_early or not redis.call('ZSCORE', answered, last) then return { 'not_continuable' } end
  prompt, length, continues = fact(last, 'prompt'), fact(last, 'prompt_length'), last
end

if may_not_spend then return { 'may_not_spend' } end
if may_not_begin and not is_busy then return { 'may_not_begin' } end

keep()
local turn = tostring(newest + 1)
redis.call('HSET', turns, turn .. ':created', now, turn .. ':prompt', prompt, turn .. ':prompt_length', length,
  turn .. ':length', length)
if replaces ~= '' then
  redis.call('HSET', turns, turn .. ':replaces', replaces)
  for _, index in ipairs({ dialogue, firsts, answered }) do redis.call('ZREMRANGEBYSCORE', index, replaces, '+inf') end
end
redis.call('ZADD', dialogue, turn, turn)
if continues ~= '' then
  redis.call('HSET', turns, turn .. ':continues', continues)
else
  redis.call('ZADD', firsts, turn, turn)
end
redis.call('HSET', session, 'newest', turn, 'updated', now)
if title ~= '' and newest == '0' and titled() == 'no' then
  redis.call('HSET', session, 'title', title, 'titled', 'words')
end
if key ~= '' then
  redis.call('HSET', sent, key, now .. ' ' .. turn .. ' ' .. fingerprint)
  redis.call('ZADD', sent_at, now, key)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', sent_at, '-inf', oldest_sent, 'LIMIT', 0, removed_keys)) do
    redis.call('HDEL', sent, old)
    redis.call('ZREM', sent_at, old)
  end
end
if not is_busy then return begin(turn, worker, lease_ms) end

local interrupts = if_busy == 'interrupt'
redis.call('ZADD', queue, interrupts and turn or turn + behind, turn)
if interrupts and running then
  redis.call('HSET', session, 'stop', 1)
  redis.call('PUBLISH', 'chat:worker:' .. redis.call('HGET', session, 'worker'), 'stop ' .. id .. ' ' .. running)
end
return { 'queued', tonumber(turn), owner, redis.call('HGET', session, 'username') }
