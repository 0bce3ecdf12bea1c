-- Count bytes of a tenant's day. KEYS 1 what was counted; ARGV 1 bytes, negative to give some
-- back, 2 limit, 3 seconds kept. Gives 1, or 0: that would be over the limit.
local spent = tonumber(redis.call('GET', KEYS[1]) or 0)
if tonumber(ARGV[1]) > 0 and spent + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return 0 end
redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
