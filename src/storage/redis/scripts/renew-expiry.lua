-- Says until when the session is kept, as it is now. ARGV: how the names of guests begin, and for how many milliseconds after
-- its newest activity a guest's session is kept, and that of another; empty for ever.
local owner, updated, pinned, running = unpack(redis.call('HMGET', session, 'owner', 'updated', 'pinned', 'running'))
if not owner then return 0 end
local kept_ms = string.sub(owner, 1, #ARGV[1]) == ARGV[1] and ARGV[2] or ARGV[3]
if kept_ms == '' or pinned == '1' or running or redis.call('ZCARD', queue) > 0 then
  keep()
  return 0
end
local due = string.format('%.0f', updated + kept_ms)
for _, key in ipairs(all_keys) do redis.call('PEXPIREAT', key, due) end
return 1
