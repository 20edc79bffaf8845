-- KEYS[1]: a principal. ARGV: until when it is known where it owns nothing; empty for ever.
local usernames = KEYS[1] .. ':usernames'
for _, username in ipairs(redis.call('SMEMBERS', usernames)) do
  if redis.call('EXISTS', KEYS[1] .. ':sessions:' .. username, KEYS[1] .. ':player:' .. username) == 0 then
    redis.call('SREM', usernames, username)
  end
end
if ARGV[1] == '' or redis.call('EXISTS', usernames) == 1 then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIREAT', KEYS[1], ARGV[1], 'NX')
end
return 1
