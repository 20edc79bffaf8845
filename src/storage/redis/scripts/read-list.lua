-- KEYS[1]: a principal. ARGV: username, how many at most, the activity and the id of the session after which they begin.
local list = KEYS[1] .. ':sessions:' .. ARGV[1]
local most, activity, id = tonumber(ARGV[2]), ARGV[3], ARGV[4]
-- So many are looked at together, to get past those of the same moment.
local step = most + 1

local found = {}
local offset = 0
while #found < 2 * most do
  local entries = redis.call('ZREVRANGEBYSCORE', list, activity, '-inf', 'WITHSCORES', 'LIMIT', offset, step)
  for index = 1, #entries, 2 do
    local is_behind = entries[index + 1] ~= activity or entries[index] < id
    if is_behind and #found < 2 * most then
      found[#found + 1] = entries[index]
      found[#found + 1] = entries[index + 1]
    end
  end
  if #entries < 2 * step then break end
  offset = offset + step
end
return found
