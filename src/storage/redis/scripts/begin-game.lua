-- ARGV: a game that begins in the session, the username that it is for.
if redis.call('HGET', session, 'username') ~= ARGV[2] then return { not_found } end
redis.call('HSET', session, 'game', ARGV[1])
redis.call('SADD', games, ARGV[1])
local due = redis.call('PEXPIRETIME', session)
if due > 0 then redis.call('PEXPIREAT', games, due) end
return { 'begun' }
