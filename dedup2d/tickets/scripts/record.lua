-- Write down how far a delivery got. An accepted one stays accepted; an ended one frees the claim.
-- KEYS 1 delivery, 2 its sender; ARGV 1 state, 2 delivery JSON, 3 seconds kept, 4 ms of the claim.
if redis.call('HGET', KEYS[1], 'state') == 'success' then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[1], 'delivery', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
if ARGV[1] == 'pending' then
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
else
  redis.call('DEL', KEYS[2])
end
return 1
