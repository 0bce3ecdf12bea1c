-- How many tickets are admitted, over all and by tenant; expired ones are pruned first.
-- KEYS 1 active, 2 tenants; ARGV 1 stem of the tenants' keys. Gives {n, tenant, n, tenant, n, ...}
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local counts = {redis.call('ZCARD', KEYS[1])}
for _, tenant in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  local n = redis.call('ZCOUNT', ARGV[1] .. tenant, '(' .. now, '+inf')
  if n > 0 then
    table.insert(counts, tenant)
    table.insert(counts, n)
  end
end
return counts
