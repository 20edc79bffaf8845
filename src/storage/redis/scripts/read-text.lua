-- ARGV: turn. How it stands, and its whole log.
if redis.call('EXISTS', session) == 0 then return { 'session_deleted' } end
local _, status, log = unpack(read_turn(ARGV[1]))
return { status, log }
