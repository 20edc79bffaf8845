-- KEYS[1]: a principal. Tells whether it owned nothing and is forgotten.
local usernames = KEYS[1] .. ':usernames'
for _, username in ipairs(redis.call('SMEMBERS', usernames)) do
  if redis.call('EXISTS', KEYS[1] .. ':sessions:' .. username, KEYS[1] .. ':player:' .. username) > 0 then return 0 end
end
redis.call('DEL', KEYS[1], usernames)
return 1
