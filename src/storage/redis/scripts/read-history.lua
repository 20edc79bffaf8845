-- ARGV: the numbers that turns are above and below, how many at most, and how long.
if redis.call('EXISTS', session) == 0 then return { 'session_deleted' } end
local numbers = redis.call('ZRANGEBYSCORE', dialogue, '(' .. ARGV[1], '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
local taken = {}
take_turns(taken, 0, numbers, tonumber(ARGV[4]))
return taken
