-- One request of a tenant, by the generic cell rate algorithm (ITU-T I.371, virtual scheduling).
-- KEYS 1 when the next request is on time; ARGV 1 requests a second, 2 how many may come early,
-- 3 time or ''. Gives how long to wait, in microseconds; 0: it is admitted.
local now, interval = clock(ARGV[3]), 1 / tonumber(ARGV[1])
local on_time = math.max(now, tonumber(redis.call('GET', KEYS[1]) or now))
local early = on_time - now - interval * (tonumber(ARGV[2]) - 1)
if early > 0 then return math.ceil(early * 1000000) end
local next = on_time + interval
redis.call('SET', KEYS[1], string.format('%.6f', next), 'PX', math.ceil((next - now) * 1000) + 1000)
return 0
