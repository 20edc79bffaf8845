return {
  'found',
  redis.call('HMGET', game, 'owner', 'username', 'session', 'settings', 'created', 'updated', 'ended'),
  redis.call('LRANGE', moves, 0, -1),
}
