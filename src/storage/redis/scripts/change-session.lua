-- ARGV: the name of a field, 1 where it is to have a value, and that value; and so on.
for index = 1, last_value, 3 do
  if ARGV[index + 1] == '1' then
    redis.call('HSET', session, ARGV[index], ARGV[index + 2])
  else
    redis.call('HDEL', session, ARGV[index])
  end
end
return read_session()
