-- ARGV: the length that texts are to add up to, and how many turns are looked at together.
local most_length, step = tonumber(ARGV[1]), tonumber(ARGV[2])
local taken, length = {}, 0
local below = '+inf'
while length < most_length do
  local numbers = redis.call('ZREVRANGEBYSCORE', answered, below, '-inf', 'LIMIT', 0, step)
  for _, turn in ipairs(numbers) do
    taken[#taken + 1] = read_turn(turn)
    length = length + tonumber(fact(turn, 'length'))
    if length >= most_length then break end
  end
  if #numbers < step then break end
  below = '(' .. numbers[#numbers]
end
local oldest = taken[#taken]
local older = oldest and redis.call('ZCOUNT', answered, '-inf', '(' .. oldest[1]) or 0
return { read_session(), taken, older }
