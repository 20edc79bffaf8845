-- What the scripts of a session share. Its other keys begin with the name of its hash, KEYS[1], so that all of them are in
-- one slot of a cluster.
local session = KEYS[1]
local turns = session .. ':turns'
local running_log = session .. ':log'
local logs = session .. ':logs'
local queue = session .. ':queue'
local dialogue = session .. ':dialogue'
local firsts = session .. ':firsts'
local answered = session .. ':answered'
local sent = session .. ':sent'
local sent_at = session .. ':sent-at'
-- What turns cost that is not counted where it belongs yet, and whose it is; outlives the session.
local spent = session .. ':spent'
local games = session .. ':games'
local wake = session .. ':wake'
local all_keys = { session, turns, running_log, logs, queue, dialogue, firsts, answered, sent, sent_at, games }
local not_found = 'session_not_found'

-- Turns that interrupt wait before the others, and among themselves in the order in which they came.
local behind = 1e9

-- Names the run of the server: another one may have lost the end of a log.
local function server_run()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end

-- All keys of a session live as long as each other: for ever, while it is at work.
local function keep()
  if redis.call('PTTL', session) < 0 then return end
  for _, key in ipairs(all_keys) do redis.call('PERSIST', key) end
end

local function fact(turn, name)
  return redis.call('HGET', turns, turn .. ':' .. name)
end

-- The turn that a request with this key made after a time, or that the key was used for something else; nil for a new one.
local function find_sent(key, fingerprint, after)
  local known = redis.call('HGET', sent, key)
  if not known then return nil end
  local created, turn, known_fingerprint = string.match(known, '^(%d+) (%d+) (.*)$')
  if tonumber(created) <= after then return nil end
  if known_fingerprint ~= fingerprint then return { 'idempotency_key_reused' } end
  return { 'known', tonumber(turn) }
end

local function in_dialogue(turn)
  return redis.call('ZSCORE', dialogue, turn) ~= false
end

-- The prompt and what else a worker is told of a turn that runs from now on.
local function facts_of(turn)
  local replaced = 1
  if in_dialogue(turn) then replaced = 0 end
  local whose = redis.call('HMGET', session, 'owner', 'username')
  return whose[1], whose[2], fact(turn, 'prompt'), fact(turn, 'replaces'), fact(turn, 'continues'), replaced
end

-- Higher than all before it, and by the clock, so that a server that took another's place and has not heard of that one's
-- last claims gives no epoch that a worker of that time still has.
local function next_epoch()
  local last = tonumber(redis.call('HGET', session, 'epoch')) or 0
  local epoch = string.format('%.0f', math.max(last + 1, server_time()))
  redis.call('HSET', session, 'epoch', epoch)
  return epoch
end

-- Gives the lease of the session's next turn to a worker.
local function begin(turn, worker, lease_ms)
  local epoch = next_epoch()
  redis.call('DEL', running_log)
  redis.call('HDEL', session, 'stop', 'released', 'crashes')
  redis.call('HSET', session, 'running', turn, 'running_epoch', epoch, 'worker', worker, 'run', server_run(),
    'lease', server_time() + lease_ms, 'head', -1)
  redis.call('PUBLISH', wake, turn)
  return { 'begun', tonumber(turn), epoch, facts_of(turn) }
end

local function begin_next(worker, lease_ms)
  local next_turn = redis.call('ZPOPMIN', queue)[1]
  return next_turn and begin(next_turn, worker, lease_ms)
end

-- Whether that is the running turn, in the epoch of whoever asks.
local function is_held(turn, epoch)
  local held = redis.call('HMGET', session, 'running', 'running_epoch')
  return held[1] == turn and held[2] == epoch
end

-- Stores the log of a turn that has ended, in chunks: where each ends, and each as it is.
local function keep_log(turn, ends, first_chunk, last_chunk)
  redis.call('HSET', logs, turn, ends)
  for index = first_chunk, last_chunk do
    redis.call('HSET', logs, turn .. '/' .. (index - first_chunk), ARGV[index])
  end
end

local function whole_log(turn)
  local chunks = {}
  while true do
    local chunk = redis.call('HGET', logs, turn .. '/' .. #chunks)
    if not chunk then return chunks end
    chunks[#chunks + 1] = chunk
  end
end

-- A turn as it stands: nil when there is none of that number.
local function status_of(turn)
  local facts = redis.call('HMGET', turns, turn .. ':status', turn .. ':created')
  if facts[1] then return facts[1] end
  if not facts[2] then return nil end
  if redis.call('HGET', session, 'running') == turn then return 'running' end
  return 'queued'
end

local function read_turn(turn)
  local status = status_of(turn)
  local log = {}
  if status == 'running' then
    log = redis.call('XRANGE', running_log, '-', '+')
  elseif status ~= 'queued' then
    log = whole_log(turn)
  end
  local facts = redis.call('HMGET', turns, turn .. ':created', turn .. ':ended', turn .. ':replaces',
    turn .. ':continues', turn .. ':prompt')
  return { tonumber(turn), status, log, unpack(facts) }
end

-- Adds turns to those that were taken until the texts of all add up to a length; the last one may go beyond it.
local function take_turns(taken, length, numbers, most_length)
  for _, turn in ipairs(numbers) do
    taken[#taken + 1] = read_turn(turn)
    length = length + tonumber(fact(turn, 'length'))
    if length >= most_length then break end
  end
  return length
end

-- How far the title has come; without a word on that it is final where there is one.
local function titled()
  local known = redis.call('HMGET', session, 'titled', 'title')
  return known[1] or (known[2] and 'final') or 'no'
end

local function read_session()
  return {
    redis.call('HMGET', session, 'username', 'title', 'instructions', 'pinned', 'created', 'updated', 'newest', 'running',
      'owner'),
    redis.call('ZCARD', queue),
    titled(),
  }
end
