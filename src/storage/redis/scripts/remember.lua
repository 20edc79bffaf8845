-- ARGV: the length that texts are to add up to, and how many turns are looked at together.
local most_length, step = tonumber(ARGV[1]), tonumber(ARGV[2])
local taken, length = {}, 0
local below = '+inf'
while length < most_length do
  local numbers = redis.call('ZREVRANGEBYSCORE', answered, below, '-inf', 'LIMIT', 0, step)
  length = take_turns(taken, length, numbers, most_length)
  if #numbers < step then break end
  below = '(' .. numbers[#numbers]
end
local oldest = taken[#taken]
local older = oldest and redis.call('ZCOUNT', answered, '-inf', '(' .. oldest[1]) or 0
return { read_session(), taken, older }
