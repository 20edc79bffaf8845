-- Whoever may not read and write what KEYS[1] is the hash of, is told the same as of one that never was.
-- The last of ARGV: whether the owner's name is meant whole, and that name or its beginning.
local owner = redis.call('HGET', KEYS[1], 'owner')
local last_value = #ARGV - 2
local granted = owner and (owner == ARGV[#ARGV] or
  ARGV[#ARGV - 1] == 'prefix' and string.sub(owner, 1, #ARGV[#ARGV]) == ARGV[#ARGV])
if not granted then return { not_found } end

