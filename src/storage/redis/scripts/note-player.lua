-- KEYS[1]: a principal. ARGV: its name, username, now, until when what is stored of the player is kept (empty for ever); what is
-- to be stored, and its values.
local name, username, now, due, kind = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local player = KEYS[1] .. ':player:' .. username
local asked = KEYS[1] .. ':asked:' .. username

-- Of a player who was forgotten meanwhile nothing is kept that comes after a game.
if (kind == 'board' or kind == 'rating' or kind == 'move') and redis.call('EXISTS', player) == 0 then return 0 end
redis.call('SET', KEYS[1], now, 'NX')
redis.call('PERSIST', KEYS[1])
redis.call('SADD', KEYS[1] .. ':usernames', username)
redis.call('HSET', player, 'principal', name, 'username', username, 'updated', now)

local reply = 1
if kind == 'game' then
  redis.call('HSETNX', player, 'game:' .. ARGV[6], now)
elseif kind == 'fact' then
  reply = redis.call('SADD', asked, ARGV[6])
elseif kind == 'day' then
  redis.call('HSETNX', player, 'day:' .. ARGV[6], ARGV[7])
  reply = redis.call('HGET', player, 'day:' .. ARGV[6])
elseif kind == 'board' then
  redis.call('HSET', player, 'board:' .. ARGV[6], 1)
elseif kind == 'rating' then
  redis.call('HINCRBYFLOAT', player, 'rating', ARGV[6])
  redis.call('HINCRBY', player, 'answers', 1)
end

for _, key in ipairs({ player, asked }) do
  if due == '' then redis.call('PERSIST', key) else redis.call('PEXPIREAT', key, due) end
end
return reply
