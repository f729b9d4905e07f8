import { HEAD, LANE } from "./shared.ts";

/** The one order by which a lane knows that a stream is to be polled. */
export const POLL_ORDER = "poll:stream";

/**
 * Puts the order into a lane, due now, unless it is there already: then it keeps its time, its backoff and its holder.
 * KEYS 1 due, 2 orders, 3 lanes. ARGV 1 now, 2 lane, 3 awake until. Answers 1 when the lane woke.
 */
export const KEEP_POLLING = `${HEAD}${LANE}
local ORDER = '${POLL_ORDER}'
local now = tonumber(ARGV[1])
if redis.call('ZSCORE', KEYS[1], ORDER) and redis.call('HEXISTS', KEYS[2], ORDER) == 1 then return 0 end
if enqueue(KEYS[1], KEYS[2], KEYS[3], ARGV[2], ORDER, '', now, now, now, ARGV[3]) then return 1 end
return 0
`;
