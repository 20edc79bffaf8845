-- KEYS[1]: a principal. ARGV: username.
redis.call('UNLINK', KEYS[1] .. ':player:' .. ARGV[1], KEYS[1] .. ':asked:' .. ARGV[1])
return 1
