-- KEYS[1]: who has a place, by when it is over. ARGV: milliseconds for which it is kept, then who has one.
local over = string.format('%.0f', server_time() + ARGV[1])
for index = 2, #ARGV do redis.call('ZADD', KEYS[1], over, ARGV[index]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
