-- Take the lease or renew one's own; the ticket, where there is one, then lives on.
-- KEYS  1 ticket, 2 active, 3 tenants, 4 lease
-- ARGV  1 ticket id, 2 holder, 3 seconds the ticket lives, 4 seconds the counting keys live,
--       5 milliseconds the lease lasts, 6 stem of the tenants' keys, 7 stem of the jobs' keys
-- Gives 'held' | 'other'
local holder = redis.call('GET', KEYS[4])
if holder and holder ~= ARGV[2] then return 'other' end
redis.call('SET', KEYS[4], ARGV[2], 'PX', ARGV[5])
local tenant, job, idempotency = unpack(redis.call('HMGET', KEYS[1], 'tenant', 'job', 'idempotency'))
if tenant then
  local keys = {KEYS[1], KEYS[2], ARGV[6] .. tenant, KEYS[3], ARGV[7] .. job}
  extend(keys, ARGV[1], tenant, idempotency, tonumber(ARGV[3]), tonumber(ARGV[4]))
end
return 'held'
