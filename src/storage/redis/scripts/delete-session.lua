-- ARGV: the session's id.
local worker = redis.call('HGET', session, 'worker')
local username = redis.call('HGET', session, 'username')
local played = redis.call('SMEMBERS', games)
redis.call('UNLINK', unpack(all_keys))
if worker then redis.call('PUBLISH', 'chat:worker:' .. worker, 'deleted ' .. ARGV[1]) end
redis.call('PUBLISH', wake, 'deleted')
return { 'deleted', owner, username, played }
