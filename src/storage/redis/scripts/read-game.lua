-- ARGV: `running` for one that is not over.
if ARGV[1] == 'running' and redis.call('HEXISTS', game, 'ended') == 1 then return { 'over' } end
return {
  'found',
  redis.call('HMGET', game, 'owner', 'username', 'session', 'settings', 'created', 'updated'),
  redis.call('LRANGE', moves, 0, -1),
}
