if titled() ~= 'words' then return { 0 } end
redis.call('HSET', session, 'titled', 'asked')
return { 1 }
