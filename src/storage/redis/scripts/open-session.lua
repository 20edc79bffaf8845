-- ARGV: owner, username, now, then field and value of what else is known.
if redis.call('EXISTS', session) == 1 then return redis.error_reply('TAKEN the session id is in use') end
redis.call('HSET', session, 'owner', ARGV[1], 'username', ARGV[2], 'created', ARGV[3], 'updated', ARGV[3], 'newest', 0)
for index = 4, #ARGV, 2 do redis.call('HSET', session, ARGV[index], ARGV[index + 1]) end
return 1
