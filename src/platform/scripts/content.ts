import { HEAD, LANE } from "./shared.ts";

/** The one order by which a lane knows that deleted content is to be told. */
export const CONTENT_ORDER = "content:all";

/**
 * Its place among a lane's orders: content that has waited for a day comes before a right that is received now and due in a
 * month, and after all others.
 */
export const CONTENT_DEADLINE_MS = 31 * 86_400_000;

/**
 * What waits for one subprocessor is one hash, a queue. `~h` the number of the last chunk that has left, `~t` of the last that
 * has come, `~n` the items of all, `~b` the batch that may have been sent: its id, its last chunk, when it was made. A
 * chunk stands under its number, `<items> <time> <id> <wrapped key> <sealed>`, and under its id stands its number.
 */
const QUEUE = `
local function number(value) return string.format('%.0f', value) end
local function slice(v, from, to)
  local names = {}
  for seq = from, to do names[#names + 1] = number(seq) end
  return redis.call('HMGET', v, unpack(names))
end
local function facts(element)
  local items, at, id = string.match(element or '', '^(%d+) (%d+) (%S+)')
  return tonumber(items or '0'), tonumber(at or '0'), id
end
local function count(counts, name, by, keep)
  if by == 0 then return end
  redis.call('HINCRBY', counts, name, number(by))
  redis.call('PEXPIRE', counts, keep)
end
`;

/**
 * Makes a delivery's deleted content durable for all who are to be told of it, in one step, and puts the order into the
 * lane of each. A chunk that still waits is not taken twice. An order that is there is left as it is, whether it waits for its
 * time after a failure or is being worked on: whoever works on it finds the new chunks before it may end it.
 *
 * KEYS 1 tenant, 2 the day's counts, then per subprocessor: its content, and its lane's three. ARGV 1 version, 2 now, 3 awake
 * until, 4 source, 5 items, 6 the delivery, 7 keep milliseconds of content, 8 of counts, 9 number of chunks, then per
 * subprocessor: lane, and per chunk: id, items, wrapped key, sealed. Answers `stale`, or `kept` or `repeated`, then the
 * lanes that woke.
 */
export const CONTENT = `${HEAD}${LANE}${QUEUE}
local ORDER, DEADLINE_MS = '${CONTENT_ORDER}', ${CONTENT_DEADLINE_MS}
local version, now, awake_until, source, items, delivery = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local keep, chunks = ARGV[7], tonumber(ARGV[9])
if redis.call('HGET', KEYS[1], 'v') ~= version then return {'stale'} end
local a = 9
local function take()
  a = a + 1
  return ARGV[a]
end
local is_new = false
if #KEYS == 2 then
  -- Told to nobody, it lies nowhere; so that a repeated call counts once, the source's last delivery is noted.
  is_new = redis.call('HGET', KEYS[2], '~' .. source) ~= delivery
  redis.call('HSET', KEYS[2], '~' .. source, delivery)
end
local woken = {}
for k = 3, #KEYS, 4 do
  local v, z, o, index, lane = KEYS[k], KEYS[k + 1], KEYS[k + 2], KEYS[k + 3], take()
  for c = 1, chunks do
    local id, size, wrapped, sealed = take(), take(), take(), take()
    if redis.call('HEXISTS', v, id) == 0 then
      is_new = true
      local seq = number(redis.call('HINCRBY', v, '~t', 1))
      redis.call('HSET', v, seq, size .. ' ' .. number(now) .. ' ' .. id .. ' ' .. wrapped .. ' ' .. sealed, id, seq)
      redis.call('HINCRBY', v, '~n', size)
      redis.call('PEXPIRE', v, keep)
    end
  end
  local due = redis.call('ZSCORE', z, ORDER)
  if due and redis.call('HEXISTS', o, ORDER) == 1 then
    if tonumber(due) <= now and tonumber(redis.call('HGET', o, '~a') or '0') <= now then
      redis.call('HSET', o, '~a', awake_until)
      woken[#woken + 1] = lane
    end
  elseif enqueue(z, o, index, lane, ORDER, '', now, now + DEADLINE_MS, now, awake_until) then
    woken[#woken + 1] = lane
  end
end
if is_new then count(KEYS[2], 'in ' .. source, items, ARGV[8]) end
local answer = {is_new and 'kept' or 'repeated'}
for _, lane in ipairs(woken) do answer[#answer + 1] = lane end
return answer
`;

/**
 * Takes what was told off the queue, gives up what is too old, and hands out the next batch, fixed under its id until it is
 * told of as sent: the same again for whoever asks meanwhile. Where nothing waits any more, the order goes in the same step,
 * so that nothing that is put in meanwhile is left without one.
 *
 * KEYS 1 content, 2 due, 3 orders, 4 the day's counts. ARGV 1 now, 2 token, 3 attempt, 4 the batch that was sent (empty:
 * none), 5 its items that could not be read, 6 id of a new batch, 7 most items (0: no batch is asked for), 8 given up where not
 * received after, 9 keep milliseconds of counts, 10 subprocessor. Answers `none`, `late`, `left` or `batch`, then the items
 * given up, the items that wait, since when, and of a batch: id, when it was made, chunks.
 */
export const NEXT_CONTENT = `${HEAD}${LANE}${QUEUE}
local ORDER = '${CONTENT_ORDER}'
local v, z, o, counts = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local now, token, attempt, sent, damaged = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local new_batch, most, oldest, keep, name = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9], ARGV[10]
local row = redis.call('HMGET', v, '~h', '~t', '~n', '~b')
local head, tail, waiting = tonumber(row[1] or '0'), tonumber(row[2] or '0'), tonumber(row[3] or '0')
local batch, last, made = string.match(row[4] or '', '^(%S+) (%S+) (%S+)$')
last = tonumber(last or '0')
local before = head
local function remove(to)
  local items = 0
  while head < to do
    local upto, gone = math.min(head + 100, to), {}
    local elements = slice(v, head + 1, upto)
    for i = 1, upto - head do
      local size, _, id = facts(elements[i])
      items = items + size
      gone[#gone + 1] = number(head + i)
      if id then gone[#gone + 1] = id end
    end
    redis.call('HDEL', v, unpack(gone))
    head = upto
  end
  waiting = waiting - items
  return items
end
if batch and batch == sent then
  local told = remove(last)
  count(counts, 'told ' .. name, told - damaged, keep)
  count(counts, 'up ' .. name, damaged, keep)
end
local aged, since = head, 0
while aged < tail do
  local _, at = facts(redis.call('HGET', v, number(aged + 1)))
  since = at
  if at > oldest or aged - head >= 1000 then break end
  aged = aged + 1
end
local given_up = remove(aged)
count(counts, 'up ' .. name, given_up, keep)
local held = held_by(o, ORDER, token, attempt)
if head >= tail then
  redis.call('DEL', v)
  if held then drop(z, o, ORDER) end
  return {'none', number(given_up), '0', '0'}
end
if head > before then redis.call('HSET', v, '~h', number(head), '~n', number(waiting)) end
if batch and last <= head then
  batch = nil
  redis.call('HDEL', v, '~b')
end
local answer = {held and (most > 0 and 'batch' or 'left') or 'late', number(given_up), number(waiting), number(since)}
if not held or most == 0 then return answer end
local chunks = {}
if batch then
  for from = head + 1, last, 100 do
    local upto = math.min(from + 99, last)
    local elements = slice(v, from, upto)
    for i = 1, upto - from + 1 do chunks[#chunks + 1] = elements[i] or nil end
  end
else
  -- Chunks hold one item or a thousand: each look takes twice as many as the one before, and little is looked at in vain.
  local items, size, full = 0, 1, false
  last = head
  while last < tail and not full do
    local from, upto = last, math.min(last + size, tail)
    local elements = slice(v, from + 1, upto)
    for i = 1, upto - from do
      local more = facts(elements[i])
      if items > 0 and items + more > most then
        full = true
        break
      end
      chunks[#chunks + 1] = elements[i] or nil
      items = items + more
      last = from + i
    end
    size = math.min(size * 2, 512)
  end
  batch, made = new_batch, number(now)
  redis.call('HSET', v, '~b', batch .. ' ' .. number(last) .. ' ' .. made)
end
answer[5], answer[6] = batch, made
for _, chunk in ipairs(chunks) do answer[#answer + 1] = chunk end
return answer
`;

/** How much waits for one subprocessor, and since when. KEYS 1 content. Answers items and time; nothing waits: zeros. */
export const WAITING_CONTENT = `${HEAD}${QUEUE}
local row = redis.call('HMGET', KEYS[1], '~h', '~t', '~n')
local head, tail = tonumber(row[1] or '0'), tonumber(row[2] or '0')
if head >= tail then return {'0', '0'} end
local _, at = facts(redis.call('HGET', KEYS[1], number(head + 1)))
return {row[3], number(at)}
`;
