import { HEAD, LANE } from "./shared.ts";

/**
 * Applies what became of claimed orders. Each applies only where task, attempt and token still match, or, by hand (no
 * token), while the task is open. An end frees what waited for it and, when it was the last, puts the request's close
 * into the gateway lane, all in this one step.
 *
 * KEYS 1 due, 2 orders, 3 lanes, 4-6 the gateway lane's, then whatever the entries name by number.
 * ARGV 1 now, 2 token, 3 lane, 4 gateway lane, 5 awake until, 6 pause until (0: none), 7 number of entries, 8 the bulk batch
 * of which it is known what became (empty: none), 9 number of the key of the vendor account that rests with the lane (0: none),
 * then entries:
 * id, attempt, what, number of the request's key (0: none; its open tasks follow it), request, task, document, deadline, then
 * - `end`: learned, number of freed, and per freed: task, number of its lane's first key, lane, id, deadline
 * - `back`: due, cursor
 * - `park`: cursor
 * - `drop`: nothing
 * Answers the number of entries, for each `applied`, `late` or `missing`, then the lanes that woke.
 */
export const SETTLE = `${HEAD}${LANE}
local z, o, index = KEYS[1], KEYS[2], KEYS[3]
local now, token, lane, gateway, awake_until, pause = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local a = 9
local function take()
  a = a + 1
  return ARGV[a]
end
local function without(list, item)
  local kept = {}
  for each in string.gmatch(list, '%S+') do
    if each ~= item then kept[#kept + 1] = each end
  end
  return table.concat(kept, ' ')
end
local count = tonumber(ARGV[7])
local results, woken = {}, {}
for e = 1, count do
  local id, attempt, what, at, rid, task, doc, deadline = take(), take(), take(), tonumber(take()), take(), take(), take(), tonumber(take())
  local r, ro = KEYS[at], KEYS[at + 1]
  local result = 'applied'
  if token ~= '' then
    if not held_by(o, id, token, attempt) then result = 'late' end
  elseif redis.call('SISMEMBER', ro, task) == 0 then
    result = 'late'
  elseif what == 'back' and redis.call('HEXISTS', o, id) == 0 then
    result = 'missing'
  end
  local applied = result == 'applied'
  if applied and at > 0 and task ~= '' then redis.call('HSET', r, 't:' .. task, doc) end
  if what == 'end' then
    local learned, frees = take(), tonumber(take())
    for f = 1, frees do
      local freed, first, freed_lane, freed_id, freed_deadline = take(), tonumber(take()), take(), take(), tonumber(take())
      local waits = applied and redis.call('HGET', r, 'w:' .. freed)
      if waits then
        if learned ~= '' then
          local before = redis.call('HGET', r, 'l:' .. freed)
          redis.call('HSET', r, 'l:' .. freed, before and (before .. ' ' .. learned) or learned)
        end
        local left = without(waits, task)
        if left == '' then
          local zf, of, indexf = KEYS[first], KEYS[first + 1], KEYS[first + 2]
          local known = redis.call('HGET', r, 'l:' .. freed)
          if known then redis.call('HSET', of, freed_id .. ':l', known) end
          local payload = redis.call('HGET', r, 'wo:' .. freed)
          redis.call('HDEL', r, 'w:' .. freed, 'wo:' .. freed, 'l:' .. freed)
          if payload and enqueue(zf, of, indexf, freed_lane, freed_id, payload, now, freed_deadline, now, awake_until) then woken[#woken + 1] = freed_lane end
          -- What was one piece of work stays one in what it frees.
          for twin in string.gmatch(payload and redis.call('HGET', o, id .. ':j') or '', '%S+') do
            if twin ~= id and join(of, freed_id, string.match(twin, '^[^/]+') .. '/' .. freed) then break end
          end
        else
          redis.call('HSET', r, 'w:' .. freed, left)
        end
      end
    end
    if applied then
      drop(z, o, id)
      if at > 0 and task ~= '' then
        redis.call('SREM', ro, task)
        redis.call('HDEL', r, 'w:' .. task, 'wo:' .. task, 'l:' .. task)
        for _, each in ipairs(redis.call('SMEMBERS', ro)) do
          local waits = redis.call('HGET', r, 'w:' .. each)
          if waits and without(waits, task) ~= waits then
            if enqueue(KEYS[4], KEYS[5], KEYS[6], gateway, 'start:' .. rid, '', now, deadline, now, awake_until) then woken[#woken + 1] = gateway end
          end
        end
        if redis.call('SCARD', ro) == 0 then
          if enqueue(KEYS[4], KEYS[5], KEYS[6], gateway, 'close:' .. rid, '', now, deadline, now, awake_until) then woken[#woken + 1] = gateway end
        end
      end
    end
  elseif what == 'back' then
    local due, cursor = tonumber(take()), take()
    if applied then
      if cursor ~= '' then redis.call('HSET', o, id .. ':c', cursor) end
      redis.call('HDEL', o, id .. ':t')
      if due <= now then redis.call('ZADD', z, deadline - READY, id) else redis.call('ZADD', z, due, id) end
      lower_index(index, lane, due)
      if token == '' and tonumber(redis.call('HGET', o, '~a') or '0') <= now then
        redis.call('HSET', o, '~a', awake_until)
        woken[#woken + 1] = lane
      end
    end
  elseif what == 'park' then
    local cursor = take()
    if applied then
      if cursor ~= '' then redis.call('HSET', o, id .. ':c', cursor) end
      redis.call('HDEL', o, id .. ':t')
      redis.call('ZREM', z, id)
    end
  elseif applied then
    drop(z, o, id)
  end
  results[e] = result
end
local any = false
for e = 1, count do any = any or results[e] == 'applied' end
-- Whoever comes too late knows nothing of the batch that is fixed now, and asks nobody to rest.
if any and ARGV[8] ~= '' and string.match(redis.call('HGET', o, '~b') or '', '^(%S+)') == ARGV[8] then redis.call('HDEL', o, '~b') end
if any and pause > tonumber(redis.call('HGET', o, '~p') or '0') then redis.call('HSET', o, '~p', pause) end
local account = KEYS[tonumber(ARGV[9])]
if any and account and pause > now and pause > tonumber(redis.call('GET', account) or '0') then
  redis.call('SET', account, ARGV[6], 'PX', pause - now)
end
local answer = {count}
for e = 1, count do answer[#answer + 1] = results[e] end
for _, each in ipairs(woken) do answer[#answer + 1] = each end
return answer
`;
