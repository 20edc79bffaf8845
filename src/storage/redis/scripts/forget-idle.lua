-- ARGV: when the sessions are due as whoever found them idle knows it, and their ids. One that was touched since stays.
for index = 2, #ARGV do
  if redis.call('ZSCORE', KEYS[1], ARGV[index]) == ARGV[1] then redis.call('ZREM', KEYS[1], ARGV[index]) end
end
return 1
