-- KEYS[1]: a principal. ARGV: a username of which it has a list of sessions.
if redis.call('EXISTS', KEYS[1] .. ':sessions:' .. ARGV[1]) == 1 then
  redis.call('SADD', KEYS[1] .. ':usernames', ARGV[1])
end
return 1
