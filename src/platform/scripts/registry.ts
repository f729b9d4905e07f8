import { HEAD } from "./shared.ts";

/**
 * Replaces a tenant's document, if it is still the version that the change was made from, and keeps who changed what.
 *
 * KEYS 1 tenant, 2 history. ARGV 1 expected version ("" for a new tenant), 2 new version, 3 document, 4 history entry.
 */
export const CHANGE = `${HEAD}
if (redis.call('HGET', KEYS[1], 'v') or '') ~= ARGV[1] then return {'conflict'} end
redis.call('HSET', KEYS[1], 'v', ARGV[2], 'snap', ARGV[3])
redis.call('RPUSH', KEYS[2], ARGV[4])
return {'changed'}
`;

/** Gives a slug its number, once and for ever. KEYS 1 slugs, 2 tenants. ARGV 1 slug. */
export const RESERVE = `${HEAD}
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return {'taken'} end
local number = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], ARGV[1], number)
return {'reserved', number}
`;
