import { HEAD } from "./shared.ts";

/**
 * Keeps a delivery that was proven and not understood, once. The index forgets what has expired, and takes no more than it may
 * hold: what does not fit is not accepted.
 *
 * KEYS 1 delivery, 2 deliveries. ARGV 1 now, 2 delivery, 3 keep milliseconds, 4 most, 5 wrapped key, 6 sealed, 7 facts.
 * Answers `kept` or `full`.
 */
export const KEEP = `${HEAD}
local now, keep = tonumber(ARGV[1]), tonumber(ARGV[3])
if redis.call('EXISTS', KEYS[1]) == 1 then return 'kept' end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - keep)
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then return 'full' end
redis.call('HSET', KEYS[1], 'k', ARGV[5], 's', ARGV[6], 'f', ARGV[7])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], now, ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 'kept'
`;
