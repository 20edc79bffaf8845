-- ARGV: turn, position. The next events after that; a settled turn's by the chunk.
local turn, after = ARGV[1], tonumber(ARGV[2])
-- So many events of a running turn at a time.
local page = 256

local status = status_of(turn)
if not status then return { 'session_not_found' } end
if status == 'queued' then return { status, {} } end
if status == 'running' then
  return { status, redis.call('XRANGE', running_log, string.format('%.0f-0', after + 1), '+', 'COUNT', page) }
end
local chunk = 0
for last in string.gmatch(redis.call('HGET', logs, turn), '%d+') do
  if tonumber(last) > after then return { status, { redis.call('HGET', logs, turn .. '/' .. chunk) } } end
  chunk = chunk + 1
end
return { status, {} }
