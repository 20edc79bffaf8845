-- ARGV: as `create-game` up to the times; how many moves there are, what the game counts for if it is over (else empty), moves.
-- Gives whose game it is.
if redis.call('LLEN', moves) ~= tonumber(ARGV[5]) then return { 'others' } end
for index = 7, last_value do redis.call('RPUSH', moves, ARGV[index]) end
redis.call('HSET', game, 'updated', ARGV[1])
if ARGV[6] ~= '' then redis.call('HSETNX', game, 'ended', ARGV[6]) end
keep(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
return { 'added', owner, redis.call('HGET', game, 'username') }
