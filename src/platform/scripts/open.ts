import { CANCELLED, ENDS, GENERATION, HEAD, LANE } from "./shared.ts";

/**
 * Starts a request, or plans it again: writes the tasks that are not there yet and puts their orders into their lanes.
 * `scheduled → open` is a compare-and-set against `cancelled`. A task whose order is missing from its lane gets it back. An
 * order joins what another open request of the same person has in the same lane and has not started. A request whose signal
 * has become too old while it waited is not carried out: `scheduled → cancelled`, in this very step.
 *
 * KEYS 1 tenant, 2 request, 3 open tasks, 4-6 the gateway lane's, 7 the subject's open requests, 8 the subject, 9 the tenant's open requests, then what entries name.
 * ARGV 1 version, 2 now, 3 token, 4 attempt, 5 request, 6 gateway lane, 7 deadline, 8 awake until, 9 number of tasks,
 * 10 number of suppressions, 11 number of fields, 12 the subject's version that the plan was made from, 13 number of connections that
 * end with it, 14 when it is to be watched from, where that and its deadline have come to be earlier than they were recorded, else 0,
 * 15 number of identities of the signal that asked for it; where there are any, the signal's time, whose restores it heeds, the document once cancelled, keep
 * milliseconds, numbers of the keys of the identities; then fields (name, value), suppressions (number of key,
 * value, milliseconds), connections (number of key), tasks: task, document, what, number of its lane's first key, lane, order id, payload, waits, due.
 * `what`: `order`, `wait`, `open` (no order: a person's work), `ended`.
 * Answers `open` with the lanes that woke, or `superseded` with by what.
 */
export const OPEN = `${HEAD}${LANE}${GENERATION}${CANCELLED}${ENDS}
local r, ro = KEYS[2], KEYS[3]
local version, now, token, attempt, rid, gateway = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local deadline, awake_until = tonumber(ARGV[7]), tonumber(ARGV[8])
local tasks, suppressions, fields = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local start = 'start:' .. rid
if redis.call('HGET', KEYS[1], 'v') ~= version then return {'stale'} end
if not held_by(KEYS[5], start, token, attempt) then return {'late'} end
if (redis.call('HGET', KEYS[8], 'v') or '') ~= ARGV[12] then return {'stale'} end
local status = redis.call('HGET', r, 'st')
if status ~= 'scheduled' and status ~= 'open' then
  drop(KEYS[4], KEYS[5], start)
  return {'ended'}
end
local a = 15
local function take()
  a = a + 1
  return ARGV[a]
end
local of_signal = tonumber(ARGV[15])
if of_signal > 0 then
  local signal_at, heeds, cancelled, keep = tonumber(take()), take(), take(), take()
  local by = false
  for i = 1, of_signal do by = by or superseded_by(KEYS[tonumber(ARGV[a + i])], signal_at, heeds) end
  a = a + of_signal
  if by and status == 'scheduled' then
    cancel(r, KEYS[4], KEYS[5], KEYS[9], rid, cancelled, keep)
    redis.call('HSET', r, 'by', by)
    return {'superseded', by}
  end
end
redis.call('HSET', r, 'st', 'open', 'pv', ARGV[12])
for f = 1, fields do
  local name, value = take(), take()
  redis.call('HSET', r, name, value)
end
for s = 1, suppressions do
  local key, value, ms = KEYS[tonumber(take())], take(), take()
  local before = redis.call('GET', key)
  if not before or string.sub(before, 1, 6) == 'acted ' or string.sub(value, 1, 6) ~= 'acted ' then redis.call('SET', key, value, 'PX', ms) end
end
-- From here on nobody is given tokens that are about to be revoked.
for c = 1, tonumber(ARGV[13]) do end_connection(KEYS[tonumber(take())]) end
redis.call('SADD', KEYS[7], rid)
local others = {}
if tasks > 0 and redis.call('SCARD', KEYS[7]) > 1 then
  for _, other in ipairs(redis.call('SMEMBERS', KEYS[7])) do
    -- Whoever asks again and again does not make each start longer than the one before.
    if other ~= rid and #others < 64 then others[#others + 1] = other end
  end
end
local woken = {}
for t = 1, tasks do
  local task, doc, what, first, lane, id, payload, waits, due = take(), take(), take(), tonumber(take()), take(), take(), take(), take(), tonumber(take())
  local is_new = redis.call('HEXISTS', r, 't:' .. task) == 0
  local left = {}
  for each in string.gmatch(waits, '%S+') do
    if redis.call('HEXISTS', r, 't:' .. each) == 0 or redis.call('SISMEMBER', ro, each) == 1 then left[#left + 1] = each end
  end
  waits = table.concat(left, ' ')
  if what == 'wait' and waits == '' then what = 'order' end
  if what == 'order' and not is_new and redis.call('HEXISTS', r, 'w:' .. task) == 1 and redis.call('SISMEMBER', ro, task) == 1 then
    redis.call('HDEL', r, 'w:' .. task, 'wo:' .. task)
  end
  local waiting = what == 'wait' and not is_new and redis.call('HGET', r, 'w:' .. task)
  if waiting then
    -- What has joined since is waited for as well, as long as nothing has set it free.
    local all = waiting
    for _, each in ipairs(left) do
      if not string.find(' ' .. all .. ' ', ' ' .. each .. ' ', 1, true) then all = all .. ' ' .. each end
    end
    if all ~= waiting then redis.call('HSET', r, 't:' .. task, doc, 'w:' .. task, all) end
  end
  local lost = not is_new and (what == 'order' or what == 'wait') and redis.call('SISMEMBER', ro, task) == 1
    and redis.call('HEXISTS', r, 'w:' .. task) == 0 and redis.call('HEXISTS', KEYS[first + 1], id) == 0
  if is_new or lost then
    redis.call('HSET', r, 't:' .. task, doc)
    if what ~= 'ended' then redis.call('SADD', ro, task) end
    if what == 'wait' then
      redis.call('HSET', r, 'w:' .. task, waits, 'wo:' .. task, payload)
    elseif what == 'order' then
      if enqueue(KEYS[first], KEYS[first + 1], KEYS[first + 2], lane, id, payload, due, deadline, now, awake_until) then woken[#woken + 1] = lane end
      for _, other in ipairs(others) do
        if join(KEYS[first + 1], id, other .. '/' .. task) then break end
      end
    end
  end
end
drop(KEYS[4], KEYS[5], start)
if tonumber(ARGV[14]) > 0 then
  redis.call('ZADD', KEYS[9], deadline, rid)
  if enqueue(KEYS[4], KEYS[5], KEYS[6], gateway, 'watch:' .. rid, '', tonumber(ARGV[14]), deadline, now, awake_until) then woken[#woken + 1] = gateway end
end
if redis.call('SCARD', ro) == 0 then
  if enqueue(KEYS[4], KEYS[5], KEYS[6], gateway, 'close:' .. rid, '', now, deadline, now, awake_until) then woken[#woken + 1] = gateway end
end
local answer = {'open'}
for _, lane in ipairs(woken) do answer[#answer + 1] = lane end
return answer
`;
