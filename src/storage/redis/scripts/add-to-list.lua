-- KEYS[1]: a principal, known from its first session on. ARGV: now, username, the session's id.
redis.call('SET', KEYS[1], ARGV[1], 'NX')
redis.call('PERSIST', KEYS[1])
redis.call('SADD', KEYS[1] .. ':usernames', ARGV[2])
redis.call('ZADD', KEYS[1] .. ':sessions:' .. ARGV[2], ARGV[1], ARGV[3])
return 1
