import { HEAD, LANE } from "./shared.ts";

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

/**
 * Puts the call that a delivery asked for into a lane, once: one that is there is left as it is, whether it waits for its time
 * after a failure or is being worked on.
 *
 * KEYS 1-3 the lane's. ARGV 1 now, 2 lane, 3 order, 4 payload, 5 deadline, 6 awake until. Answers 1 if the lane woke.
 */
export const ASK_FOR = `${HEAD}${LANE}
local now = tonumber(ARGV[1])
if redis.call('HEXISTS', KEYS[2], ARGV[3]) == 1 then return 0 end
if enqueue(KEYS[1], KEYS[2], KEYS[3], ARGV[2], ARGV[3], ARGV[4], now, tonumber(ARGV[5]), now, ARGV[6]) then return 1 end
return 0
`;
