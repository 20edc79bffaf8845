return { 'found', redis.call('HGET', session, 'game'), redis.call('SMEMBERS', games) }
