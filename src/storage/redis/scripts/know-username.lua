-- KEYS[1]: a principal. ARGV: a username of which it may have a list of sessions, or a player.
if redis.call('EXISTS', KEYS[1] .. ':sessions:' .. ARGV[1], KEYS[1] .. ':player:' .. ARGV[1]) > 0 then
  redis.call('SADD', KEYS[1] .. ':usernames', ARGV[1])
end
return 1
