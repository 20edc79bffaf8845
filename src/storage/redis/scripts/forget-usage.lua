-- Deletes what a principal's turns cost on a day.
-- KEYS[1]: the principal. ARGV: the day; a username, where only that one's is meant.
local usage, username = KEYS[1] .. ':usage:' .. ARGV[1], ARGV[2]
if username then
  local row = '\0' .. username .. '\0'
  for _, field in ipairs(redis.call('HKEYS', usage)) do
    local start = string.find(field, '\0', 1, true)
    if string.sub(field, start, start + #row - 1) == row then redis.call('HDEL', usage, field) end
  end
else
  redis.call('UNLINK', usage)
end
if redis.call('EXISTS', usage) == 0 then redis.call('ZREM', KEYS[1] .. ':usage-days', ARGV[1]) end
return 1
