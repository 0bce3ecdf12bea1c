-- Claim a job's delivery for one sender, and begin it where there is none.
-- KEYS 1 delivery, 2 deliveries by when they are due, 3 its receiver
-- ARGV 1 job, 2 seconds the claim lasts, 3 new delivery as JSON, or '': only one that is there,
--      4 seconds the delivery is kept, 5 time or ''
-- Gives {delivery JSON, 1 if the receiver is switched off}, or nil: it has ended, somebody else
-- is sending, or it is not due yet.
local now = clock(ARGV[5])
local state, json = unpack(redis.call('HMGET', KEYS[1], 'state', 'delivery'))
if (state and state ~= 'pending') or (not state and ARGV[3] == '') then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return nil
end
local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
if state and due and tonumber(due) > now then return nil end
if not state then
  json = ARGV[3]
  redis.call('HSET', KEYS[1], 'state', 'pending', 'delivery', json)
  redis.call('EXPIRE', KEYS[1], ARGV[4])
end
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), ARGV[1])
redis.call('EXPIRE', KEYS[2], math.max(tonumber(ARGV[4]), redis.call('TTL', KEYS[2])))
return {json, redis.call('HEXISTS', KEYS[3], 'off')}
