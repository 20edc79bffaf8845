-- ARGV: how many at most, and milliseconds for which they are left to whoever asks. Gives ids and when they are due again.
local now = server_time()
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
local due = string.format('%.0f', now + ARGV[2])
for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], due, id) end
return { due, ids }
