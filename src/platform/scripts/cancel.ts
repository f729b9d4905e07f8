import { CANCELLED, HEAD, LANE } from "./shared.ts";

/**
 * `scheduled → cancelled`, the restore that races the start to one winner. What was sealed for the request goes at once.
 *
 * KEYS 1 request, 2-4 the gateway lane's, 5 open requests, 6 if it stands there, the subject's closing requests. ARGV 1 now,
 * 2 request, 3 document, 4 keep milliseconds.
 * Answers `cancelled` or `not_scheduled` with the status.
 */
export const CANCEL = `${HEAD}${LANE}${CANCELLED}
local status = redis.call('HGET', KEYS[1], 'st')
if status == 'cancelled' then return {'cancelled'} end
if status ~= 'scheduled' then return {'not_scheduled', status or ''} end
cancel(KEYS[1], KEYS[2], KEYS[3], KEYS[5], ARGV[2], ARGV[3], ARGV[4])
if KEYS[6] then redis.call('ZREM', KEYS[6], ARGV[2]) end
return {'cancelled'}
`;

/**
 * Puts one of the gateway's own steps into its lane, if the request is in the state that it needs: a start again (new
 * identities, an order that went missing), the start of a request that was held, or its first start that got lost.
 *
 * KEYS 1 request, 2-4 the gateway lane's. ARGV 1 now, 2 request, 3 gateway lane, 4 due, 5 deadline, 6 awake until,
 * 7 release (1: a hold on the request is lifted). Answers `queued` (1: the lane woke), `held` or `ended`.
 */
export const RESTART = `${HEAD}${LANE}
local status = redis.call('HGET', KEYS[1], 'st')
if status ~= 'scheduled' and status ~= 'open' then return {'ended', status or ''} end
if ARGV[7] == '1' then redis.call('HDEL', KEYS[1], 'held') end
if redis.call('HGET', KEYS[1], 'held') then return {'held'} end
if enqueue(KEYS[2], KEYS[3], KEYS[4], ARGV[3], 'start:' .. ARGV[2], '', tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[1]), ARGV[6]) then
  return {'queued', '1'}
end
return {'queued', '0'}
`;

/**
 * Puts back what an open request has lost: its confirmation while it is held for that, its start while it is scheduled, its close when no task is open any more, its watch.
 *
 * KEYS 1 request, 2 open tasks, 3-5 the gateway lane's. ARGV 1 now, 2 request, 3 gateway lane, 4 start time, 5 deadline, 6 awake until.
 * Answers the status, then the open tasks.
 */
export const AUDIT = `${HEAD}${LANE}
local status = redis.call('HGET', KEYS[1], 'st')
local rid, now, deadline = ARGV[2], tonumber(ARGV[1]), tonumber(ARGV[5])
local woken = false
local held = redis.call('HGET', KEYS[1], 'held')
if held == 'confirmation' and redis.call('HEXISTS', KEYS[4], 'confirm:' .. rid) == 0 then
  woken = enqueue(KEYS[3], KEYS[4], KEYS[5], ARGV[3], 'confirm:' .. rid, '', now, deadline, now, ARGV[6])
end
if status == 'scheduled' and not held and redis.call('HEXISTS', KEYS[4], 'start:' .. rid) == 0 then
  woken = enqueue(KEYS[3], KEYS[4], KEYS[5], ARGV[3], 'start:' .. rid, '', tonumber(ARGV[4]), deadline, now, ARGV[6])
end
if status == 'open' and redis.call('SCARD', KEYS[2]) == 0 and redis.call('HEXISTS', KEYS[4], 'close:' .. rid) == 0 then
  woken = enqueue(KEYS[3], KEYS[4], KEYS[5], ARGV[3], 'close:' .. rid, '', now, deadline, now, ARGV[6])
end
if (status == 'scheduled' or status == 'open') and redis.call('HEXISTS', KEYS[4], 'watch:' .. rid) == 0 then
  woken = enqueue(KEYS[3], KEYS[4], KEYS[5], ARGV[3], 'watch:' .. rid, '', deadline, deadline, now, ARGV[6])
end
-- Nobody is told: the lane is left asleep for the sweep to find.
if woken then redis.call('HDEL', KEYS[4], '~a') end
local answer = {status or 'gone'}
for _, task in ipairs(redis.call('SMEMBERS', KEYS[2])) do answer[#answer + 1] = task end
return answer
`;

/**
 * Puts what is due again and again into the gateway's lane, unless it stands there already.
 *
 * KEYS 1-3 the lane's. ARGV 1 now, 2 lane, 3 awake until, then id and due time of each.
 */
export const SCHEDULE = `${HEAD}${LANE}
for i = 4, #ARGV, 2 do
  local due = tonumber(ARGV[i + 1])
  if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 0 then
    enqueue(KEYS[1], KEYS[2], KEYS[3], ARGV[2], ARGV[i], '', due, due, tonumber(ARGV[1]), ARGV[3])
  end
end
return 1
`;

/** Puts a notice into a lane. KEYS 1-3 the lane's. ARGV 1 now, 2 lane, 3 notice, 4 awake until. */
export const TELL = `${HEAD}${LANE}
local now = tonumber(ARGV[1])
local woken = enqueue(KEYS[1], KEYS[2], KEYS[3], ARGV[2], ARGV[3], '', now, now + 259200000, now, ARGV[4])
-- Nobody is told: the lane is left asleep for the sweep to find.
if woken then redis.call('HDEL', KEYS[2], '~a') end
return 1
`;
