-- Admit one ticket, or say why not. O(log n) in the number of admitted tickets.
-- KEYS  1 ticket, 2 active, 3 active of the tenant, 4 tenants, 5 idempotency record
-- ARGV  1 ticket id, 2 ticket JSON, 3 tenant, 4 max jobs, 5 max jobs per tenant,
--       6 seconds an unbound ticket lives, 7 seconds the counting keys live,
--       8 "1" with an idempotency key, 9 request digest, 10 created at, 11 ticket key stem
-- Gives {'created'} | {'known', ticket id, job, created at, ticket JSON or ''} | {'conflict'}
--       | {'full', limit, current}
if ARGV[8] == '1' then
  local id, job, digest, created = unpack(redis.call('HMGET', KEYS[5], 'ticket', 'job', 'digest', 'created'))
  if id and id ~= ARGV[1] then
    local json = redis.call('HGET', ARGV[11] .. id, 'ticket')
    -- a record without a job counts only as long as its ticket lives: its submitter may be dead
    if job ~= '' or json then
      if digest ~= ARGV[9] then return {'conflict'} end
      return {'known', id, job, created, json or ''}
    end
  end
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  return {'created'} -- the same call once more, after its first answer was lost
end

local now = tonumber(redis.call('TIME')[1])
for i = 2, 4 do redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now) end
for i, limit in ipairs({tonumber(ARGV[4]), tonumber(ARGV[5])}) do
  local current = redis.call('ZCARD', KEYS[i + 1])
  if current >= limit then return {'full', limit, current} end
end

local lives, keep = tonumber(ARGV[6]), tonumber(ARGV[7])
redis.call('HSET', KEYS[1], 'ticket', ARGV[2], 'tenant', ARGV[3], 'job', '',
  'idempotency', ARGV[8] == '1' and KEYS[5] or '')
redis.call('EXPIRE', KEYS[1], lives)
redis.call('ZADD', KEYS[2], now + lives, ARGV[1])
redis.call('ZADD', KEYS[3], now + lives, ARGV[1])
redis.call('ZADD', KEYS[4], now + keep, ARGV[3])
for i = 2, 4 do redis.call('EXPIRE', KEYS[i], keep) end
if ARGV[8] == '1' then
  redis.call('HSET', KEYS[5], 'version', 1, 'ticket', ARGV[1], 'job', '', 'digest', ARGV[9], 'created', ARGV[10])
  redis.call('EXPIRE', KEYS[5], keep)
end
return {'created'}
