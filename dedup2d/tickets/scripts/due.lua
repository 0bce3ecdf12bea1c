-- What may be sent now, the longest due first; what is no delivery any more is forgotten.
-- KEYS 1 deliveries by when they are due; ARGV 1 delivery key stem, 2 how many are passed over,
-- 3 how many are looked at, 4 time or ''
local found = {}
local jobs = redis.call(
  'ZRANGEBYSCORE', KEYS[1], '-inf', clock(ARGV[4]), 'LIMIT', ARGV[2], ARGV[3])
for _, job in ipairs(jobs) do
  local state, json = unpack(redis.call('HMGET', ARGV[1] .. job, 'state', 'delivery'))
  if state == 'pending' then
    found[#found + 1] = json
  else
    redis.call('ZREM', KEYS[1], job)
  end
end
return found
