-- Make sure the doorbell and its group of workers exist, and that the stream expires.
-- KEYS 1 the stream; ARGV 1 group, 2 seconds the stream lives.
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if type(made) == 'table' and made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then
  return made
end
return redis.call('EXPIRE', KEYS[1], ARGV[2])
