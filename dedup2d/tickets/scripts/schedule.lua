-- Make a delivery pending and due, whatever it was before.
-- KEYS 1 delivery, 2 deliveries by when they are due
-- ARGV 1 job, 2 delivery JSON, 3 when it is due, 4 seconds kept, 5 time or ''
local due = tonumber(ARGV[3])
local kept = math.ceil(tonumber(ARGV[4]) + math.max(0, due - clock(ARGV[5])))
redis.call('HSET', KEYS[1], 'state', 'pending', 'delivery', ARGV[2])
redis.call('EXPIRE', KEYS[1], kept)
redis.call('ZADD', KEYS[2], due, ARGV[1])
redis.call('EXPIRE', KEYS[2], math.max(kept, redis.call('TTL', KEYS[2])))
