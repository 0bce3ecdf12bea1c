-- Take the lease or renew one's own; the ticket, where there is one, then lives on.
-- KEYS  1 ticket, 2 active, 3 active of the tenant, 4 tenants, 5 job -> ticket, 6 lease
-- ARGV  1 ticket id, 2 holder, 3 seconds the ticket lives, 4 seconds the counting keys live,
--       5 milliseconds the lease lasts
-- Gives 'held' | 'other'
local holder = redis.call('GET', KEYS[6])
if holder and holder ~= ARGV[2] then return 'other' end
redis.call('SET', KEYS[6], ARGV[2], 'PX', ARGV[5])
local tenant, idempotency = unpack(redis.call('HMGET', KEYS[1], 'tenant', 'idempotency'))
if tenant then
  extend(KEYS, ARGV[1], tenant, idempotency, tonumber(ARGV[3]), tonumber(ARGV[4]))
end
return 'held'
