-- Counts a game once. KEYS[1]: a board. ARGV: the game, seconds for which it is known as counted, the player, the score, until when
-- anybody looks at the board (empty for ever).
if not redis.call('SET', KEYS[1] .. ':counted:' .. ARGV[1], 1, 'NX', 'EX', ARGV[2]) then return 0 end
local counts = KEYS[1] .. ':games'
redis.call('ZADD', KEYS[1], 'GT', ARGV[4], ARGV[3])
redis.call('HINCRBY', counts, ARGV[3], 1)
if ARGV[5] ~= '' then
  redis.call('PEXPIREAT', KEYS[1], ARGV[5])
  redis.call('PEXPIREAT', counts, ARGV[5])
end
return 1
