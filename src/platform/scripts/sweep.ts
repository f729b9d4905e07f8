import { HEAD, LANE } from "./shared.ts";

/**
 * Looks at one lane that its index says is due: wakes it when it is asleep and has something ready, otherwise brings the
 * index up to date.
 *
 * KEYS 1 due, 2 orders, 3 lanes. ARGV 1 now, 2 lane, 3 awake until. Answers 1 when the lane was woken.
 */
export const SWEEP = `${HEAD}
local now, lane = tonumber(ARGV[1]), ARGV[2]
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if #first == 0 then
  redis.call('ZREM', KEYS[3], lane)
  return 0
end
local at = tonumber(first[2])
local paused = tonumber(redis.call('HGET', KEYS[2], '~p') or '0')
if at < now then at = now end
if paused > at then at = paused end
if at > now then
  redis.call('ZADD', KEYS[3], at, lane)
  return 0
end
if tonumber(redis.call('HGET', KEYS[2], '~a') or '0') > now then return 0 end
redis.call('HSET', KEYS[2], '~a', ARGV[3])
return 1
`;

/**
 * Lifts a lane's pause, so that the sweep finds it now, and that of its vendor account, where one is named. Of the others
 * that share it only a pause that came from it is lifted; they come first.
 * KEYS 1 due, 2 orders, 3 lanes, 4 the account's pause. ARGV 1 now, 2 lane, 3 `own` or `other`.
 */
export const UNPAUSE = `${HEAD}${LANE}
local paused = redis.call('HGET', KEYS[2], '~p')
if ARGV[3] == 'other' and (not paused or paused ~= redis.call('GET', KEYS[4])) then return 0 end
if ARGV[3] == 'own' and KEYS[4] then redis.call('DEL', KEYS[4]) end
redis.call('HDEL', KEYS[2], '~p')
lower_index(KEYS[3], ARGV[2], tonumber(ARGV[1]))
return 1
`;
