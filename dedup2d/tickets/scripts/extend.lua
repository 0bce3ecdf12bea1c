-- Put before the scripts that lengthen a ticket's life.
-- Everything of the ticket then lives `lives` seconds from now, the counting keys at least that.
-- keys: ticket, active, active of the tenant, tenants, job -> ticket
local function extend(keys, id, tenant, idempotency, lives, keep)
  local now = tonumber(redis.call('TIME')[1])
  redis.call('EXPIRE', keys[1], lives)
  redis.call('EXPIRE', keys[5], lives)
  redis.call('ZADD', keys[2], now + lives, id)
  redis.call('ZADD', keys[3], now + lives, id)
  redis.call('ZADD', keys[4], now + keep, tenant)
  for i = 2, 4 do redis.call('EXPIRE', keys[i], keep) end
  if idempotency ~= '' then redis.call('EXPIRE', idempotency, keep) end
end

