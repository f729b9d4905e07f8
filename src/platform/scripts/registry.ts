import { HEAD } from "./shared.ts";

/**
 * Replaces a tenant's document, if it is still the version that the change was made from, and keeps who changed what. The
 * very same change, repeated, was made.
 *
 * In the same step it says for which integrations' streams the tenant listens from now on.
 *
 * KEYS 1 tenant, 2 history, then per integration with streams: its listening tenants. ARGV 1 expected version ("" for a new
 * tenant), 2 new version, 3 document, 4 history entry, 5 tenant's number, then per integration: listens (1).
 */
export const CHANGE = `${HEAD}
local v = redis.call('HGET', KEYS[1], 'v') or ''
if v == ARGV[2] and redis.call('HGET', KEYS[1], 'snap') == ARGV[3] and redis.call('LINDEX', KEYS[2], -1) == ARGV[4] then return {'changed'} end
if v ~= ARGV[1] then return {'conflict'} end
redis.call('HSET', KEYS[1], 'v', ARGV[2], 'snap', ARGV[3])
redis.call('RPUSH', KEYS[2], ARGV[4])
for i = 3, #KEYS do
  if ARGV[3 + i] == '1' then redis.call('SADD', KEYS[i], ARGV[5]) else redis.call('SREM', KEYS[i], ARGV[5]) end
end
return {'changed'}
`;

/**
 * Says again for which streams a tenant listens, if its document is still the version that this was read from: after a
 * failover that lost it, and for tenants that are older than the index.
 *
 * KEYS 1 tenant, then per integration with streams: its listening tenants. ARGV 1 version, 2 tenant's number, then per
 * integration: listens (1).
 */
export const ENROL = `${HEAD}
if redis.call('HGET', KEYS[1], 'v') ~= ARGV[1] then return 0 end
for i = 2, #KEYS do
  if ARGV[1 + i] == '1' then redis.call('SADD', KEYS[i], ARGV[2]) else redis.call('SREM', KEYS[i], ARGV[2]) end
end
return 1
`;

/**
 * Gives a slug its number, once and for ever; whoever reserved it hears it again when the call is repeated.
 *
 * KEYS 1 slugs, 2 tenants. ARGV 1 slug, 2 token of this reservation.
 */
export const RESERVE = `${HEAD}
local before = redis.call('HGET', KEYS[1], ARGV[1])
if before then
  local number = string.match(before, '^(%d+) ')
  if before == number .. ' ' .. ARGV[2] then return {'reserved', number} end
  return {'taken'}
end
local number = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], ARGV[1], number .. ' ' .. ARGV[2])
return {'reserved', number}
`;
