-- KEYS[1]: the keys of programs. ARGV: the id of one, now.
if redis.call('HEXISTS', KEYS[1], 'key:' .. ARGV[1]) == 1 then
  redis.call('HSETNX', KEYS[1], 'revoked:' .. ARGV[1], ARGV[2])
end
return 1
