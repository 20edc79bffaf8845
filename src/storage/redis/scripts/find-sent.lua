-- ARGV: key, fingerprint, the oldest time that does not count any more.
return find_sent(ARGV[1], ARGV[2], tonumber(ARGV[3])) or { 'unknown' }
