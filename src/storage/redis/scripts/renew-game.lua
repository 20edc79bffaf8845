-- ARGV: as `create-game` after the first. Gives the session in which it is played, empty for none.
local facts = redis.call('HMGET', game, 'updated', 'session')
if not facts[1] then return '' end
keep(facts[1], ARGV[1], ARGV[2], ARGV[3])
return facts[2]
