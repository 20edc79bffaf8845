-- ARGV: the number that turns are to be below, how many (empty for all). Tells the turn that the window begins after.
local newest = tonumber(redis.call('HGET', session, 'newest'))
local below = math.min(tonumber(ARGV[1]) or math.huge, newest + 1)
local above, has_more = 0, 0
if ARGV[2] ~= '' then
  local limit = tonumber(ARGV[2])
  local numbers = redis.call('ZREVRANGEBYSCORE', firsts, '(' .. below, '-inf', 'LIMIT', 0, limit + 1)
  if #numbers > limit then
    has_more = 1
    -- What continues an older turn is older too.
    above = (tonumber(numbers[limit]) or 1) - 1
  end
end
return { read_session(), has_more, above, below }
