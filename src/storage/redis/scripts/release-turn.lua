-- ARGV: turn, epoch, 1 when its worker gives it back; 0 when it only knows that it will not renew the lease.
if not is_held(ARGV[1], ARGV[2]) then return { 'lease_lost' } end
redis.call('HSET', session, 'lease', 0)
if ARGV[3] == '1' then redis.call('HSET', session, 'released', 1) end
return { 'released' }
