-- KEYS[1]: the sessions that have unfinished turns, by the time when somebody is to look after them.
-- ARGV: milliseconds until then, whether those that are known are put off until then, session ids.
local due = server_time() + ARGV[1]
for index = 3, #ARGV do
  local known = redis.call('ZSCORE', KEYS[1], ARGV[index])
  if ARGV[2] == '1' or not known or tonumber(known) > due then
    redis.call('ZADD', KEYS[1], due, ARGV[index])
  else
    -- Somebody may be about to forget it as it was known.
    redis.call('ZINCRBY', KEYS[1], -1, ARGV[index])
  end
end
return 1
