-- Claim the notification of a job's end for one sender.
-- KEYS 1 delivery, 2 its sender; ARGV 1 sender, 2 ms the claim lasts, 3 new delivery as JSON,
-- 4 job status, 5 seconds the delivery is kept. Gives the delivery's JSON, or nil: not yours.
local state, json = unpack(redis.call('HMGET', KEYS[1], 'state', 'delivery'))
if state and state ~= 'pending' then return nil end
local sender = redis.call('GET', KEYS[2])
if sender and sender ~= ARGV[1] then return nil end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
if not json then
  json = ARGV[3]
  redis.call('HSET', KEYS[1], 'state', 'pending', 'delivery', json)
end
redis.call('HSET', KEYS[1], 'job_status', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return json
