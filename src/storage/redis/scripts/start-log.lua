-- ARGV: turn. How it stands, and the head of its log.
local status = status_of(ARGV[1])
if not status then return { 'turn_not_found' } end
if status == 'queued' then return { status, '-1' } end
if status == 'running' then return { status, redis.call('HGET', session, 'head') } end
return { status, string.match(redis.call('HGET', logs, ARGV[1]), '%d+$') }
