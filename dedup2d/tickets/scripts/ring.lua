-- Ring one doorbell. KEYS 1 its stream; ARGV 1 job id, 2 bells kept, 3 seconds the stream lives.
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'job', ARGV[1])
return redis.call('EXPIRE', KEYS[1], ARGV[3])
