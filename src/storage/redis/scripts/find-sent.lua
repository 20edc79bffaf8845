-- ARGV: key, fingerprint, the oldest time that still counts.
local known = redis.call('HGET', sent, ARGV[1])
if not known then return { 'unknown' } end
local created, turn, fingerprint = string.match(known, '^(%d+) (%d+) (.*)$')
if tonumber(created) <= tonumber(ARGV[3]) then return { 'unknown' } end
if fingerprint ~= ARGV[2] then return { 'idempotency_key_reused' } end
return { 'known', tonumber(turn) }
