-- ARGV: turns whose cost is counted where it belongs.
redis.call('HDEL', spent, unpack(ARGV))
-- Whose it was is all that is left.
if redis.call('HLEN', spent) <= 2 then redis.call('DEL', spent) end
return 1
