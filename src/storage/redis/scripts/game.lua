-- What the scripts of a game share.
local game = KEYS[1]
local moves = game .. ':moves'
local not_found = 'game_not_found'

-- Says until when the game is kept: one in a session for as long as that is there.
local function keep(updated, guest_prefix, guest_ms, other_ms)
  local whose = redis.call('HMGET', game, 'owner', 'session')
  local kept_ms = string.sub(whose[1], 1, #guest_prefix) == guest_prefix and guest_ms or other_ms
  for _, key in ipairs({ game, moves }) do
    if kept_ms == '' or whose[2] ~= '' then
      redis.call('PERSIST', key)
    else
      redis.call('PEXPIREAT', key, string.format('%.0f', updated + kept_ms))
    end
  end
end
