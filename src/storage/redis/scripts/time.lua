-- Milliseconds since 1970 on the server's clock, the only one that leases know.
local function server_time()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

