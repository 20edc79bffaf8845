-- ARGV: now, how the names of guests begin, and for how many milliseconds their games and those of others are kept (empty for
-- ever); owner, username, session (empty for none), settings, moves.
if redis.call('EXISTS', game) == 1 then return 0 end
redis.call('HSET', game, 'owner', ARGV[5], 'username', ARGV[6], 'session', ARGV[7], 'settings', ARGV[8], 'created', ARGV[1],
  'updated', ARGV[1])
for index = 9, #ARGV do redis.call('RPUSH', moves, ARGV[index]) end
keep(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
return 1
