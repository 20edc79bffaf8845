-- KEYS[1]: a board. ARGV: how many.
local entries = redis.call('ZREVRANGE', KEYS[1], 0, ARGV[1] - 1, 'WITHSCORES')
local found = {}
for index = 1, #entries, 2 do
  found[#found + 1] = { entries[index], entries[index + 1], redis.call('HGET', KEYS[1] .. ':games', entries[index]) }
end
return found
