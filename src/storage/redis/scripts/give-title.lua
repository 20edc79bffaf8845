-- ARGV: the title.
if titled() ~= 'asked' then return { 0 } end
redis.call('HSET', session, 'title', ARGV[1], 'titled', 'final')
return { 1 }
