-- Remove all of a ticket. The idempotency record stays, unless it never got a job.
-- KEYS  1 ticket, 2 active, 3 lease
-- ARGV  1 ticket id, 2 stem of the tenants' keys, 3 stem of the jobs' keys
local tenant, job, idempotency = unpack(redis.call('HMGET', KEYS[1], 'tenant', 'job', 'idempotency'))
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[1], KEYS[3])
if not tenant then return 0 end -- expired: its tenant's entry is pruned by its expiry
redis.call('ZREM', ARGV[2] .. tenant, ARGV[1])
redis.call('DEL', ARGV[3] .. job)
if job == '' and idempotency ~= '' then redis.call('DEL', idempotency) end
return 1
