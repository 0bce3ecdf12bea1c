-- Write down how far a delivery got, and how its receiver does. An accepted one stays accepted.
-- KEYS 1 delivery, 2 deliveries by when they are due, 3 its receiver, 4 its attempts
-- ARGV 1 job, 2 state, 3 delivery JSON, 4 seconds kept, 5 when it is due again, or '',
--      6 attempt JSON, or '': there was none, 7 attempts kept, 8 seconds of failing after which
--      a receiver is switched off, 0: never, 9 and failures at least, 10 seconds a receiver is
--      kept, 11 time or ''
-- Gives 1 if the receiver was switched off by this.
local now = clock(ARGV[11])
local due = tonumber(ARGV[5])
local kept = math.ceil(tonumber(ARGV[4]) + math.max(0, (due or now) - now))
if ARGV[6] ~= '' then
  redis.call('RPUSH', KEYS[4], ARGV[6])
  redis.call('LTRIM', KEYS[4], -tonumber(ARGV[7]), -1)
  redis.call('EXPIRE', KEYS[4], kept)
end
if redis.call('HGET', KEYS[1], 'state') == 'success' then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'delivery', ARGV[3])
redis.call('EXPIRE', KEYS[1], kept)
if due then
  redis.call('ZADD', KEYS[2], due, ARGV[1])
  redis.call('EXPIRE', KEYS[2], math.max(kept, redis.call('TTL', KEYS[2])))
else
  redis.call('ZREM', KEYS[2], ARGV[1])
end
if ARGV[6] == '' then return 0 end
if ARGV[2] == 'success' then
  redis.call('DEL', KEYS[3])
  return 0
end
redis.call('HSETNX', KEYS[3], 'since', now)
local failures = redis.call('HINCRBY', KEYS[3], 'failures', 1)
redis.call('EXPIRE', KEYS[3], ARGV[10])
local after = tonumber(ARGV[8])
if after == 0 or failures < tonumber(ARGV[9]) then return 0 end
if now - tonumber(redis.call('HGET', KEYS[3], 'since')) < after then return 0 end
return redis.call('HSETNX', KEYS[3], 'off', now)
