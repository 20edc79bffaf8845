-- Counts once what a turn cost.
-- KEYS[1]: a principal, or all guests together. ARGV: the turn, seconds for which it is known as counted, day, tokens in,
-- tokens out, whether they were estimated; then username and model, but for all guests together.
local turn, known_seconds, day, input, output, estimated = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local username, model = ARGV[7], ARGV[8]
-- So long a day's sum is of use to anybody.
local sum_seconds = 3 * 24 * 60 * 60

if not redis.call('SET', KEYS[1] .. ':counted:' .. turn, 1, 'NX', 'EX', known_seconds) then return 0 end
local sum = KEYS[1] .. ':tokens:' .. day
redis.call('INCRBY', sum, input + output)
redis.call('EXPIRE', sum, sum_seconds)
if not username then return 1 end
-- Of a principal that was forgotten meanwhile nothing is kept.
if redis.call('EXISTS', KEYS[1]) == 0 then return 1 end
local usage = KEYS[1] .. ':usage:' .. day
-- Neither of them can hold a NUL.
local row = '\0' .. username .. '\0' .. model
redis.call('HINCRBY', usage, 'turns' .. row, 1)
redis.call('HINCRBY', usage, 'input' .. row, input)
redis.call('HINCRBY', usage, 'output' .. row, output)
if estimated == '1' then redis.call('HSET', usage, 'estimated' .. row, 1) end
redis.call('ZADD', KEYS[1] .. ':usage-days', day, day)
return 1
