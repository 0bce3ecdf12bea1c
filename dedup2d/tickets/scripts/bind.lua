-- Give the ticket its job, the idempotency record too, and ring the doorbell.
-- KEYS  1 ticket, 2 active, 3 active of the tenant, 4 tenants, 5 job -> ticket, 6 doorbell
-- ARGV  1 ticket id, 2 job id, 3 seconds the ticket lives, 4 seconds the counting keys live,
--       5 tenant, 6 bells kept
-- Gives 'bound' | 'gone' | 'other' (bound to another job already)
local tenant, job, idempotency = unpack(redis.call('HMGET', KEYS[1], 'tenant', 'job', 'idempotency'))
if tenant ~= ARGV[5] then return 'gone' end
if job ~= '' and job ~= ARGV[2] then return 'other' end
redis.call('HSET', KEYS[1], 'job', ARGV[2])
redis.call('SET', KEYS[5], ARGV[1])
if idempotency ~= '' then redis.call('HSET', idempotency, 'job', ARGV[2]) end
extend(KEYS, ARGV[1], tenant, idempotency, tonumber(ARGV[3]), tonumber(ARGV[4]))
redis.call('XADD', KEYS[6], 'MAXLEN', '~', ARGV[6], '*', 'job', ARGV[2])
redis.call('EXPIRE', KEYS[6], ARGV[4])
return 'bound'
