-- KEYS[1]: a board. ARGV: players.
redis.call('ZREM', KEYS[1], unpack(ARGV))
redis.call('HDEL', KEYS[1] .. ':games', unpack(ARGV))
return 1
