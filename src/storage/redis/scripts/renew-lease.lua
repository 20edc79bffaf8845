-- ARGV: turn, epoch, milliseconds of the lease. Tells whether the turn was asked to stop.
if not is_held(ARGV[1], ARGV[2]) then return { 'lease_lost' } end
redis.call('HSET', session, 'lease', server_time() + ARGV[3])
return { 'renewed', redis.call('HEXISTS', session, 'stop') }
