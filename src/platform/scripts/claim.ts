import { HEAD } from "./shared.ts";

/**
 * What a batch holds, in bytes: what becomes of it goes back in one request, of which Upstash takes ten megabytes, and a runner
 * has several lanes in its 128.
 */
const BATCH_BYTES = 2_000_000;

/** A lane that was refused keeps its place in the line for this long; the sweep brings it back each minute. */
const LINE_MS = 5 * 60_000;

/**
 * Takes what is ready from one lane under a lease. The same token gets the same batch again, because a client may
 * repeat a call whose answer was lost. One run works a lane at a time, so that its holder's limits hold whatever else was
 * woken, and a tenant has so many runs at a time and no more; who was refused comes before who comes later. Orders that were
 * joined come together, as far as they are ready; orders that are large come in a smaller batch; a bulk batch that was fixed comes as it was fixed, and nothing beside it,
 * until it is known what became of it.
 *
 * Where the vendor allows an account so many calls a day, a claim takes a share of what is left for its batch, and what the run
 * has really made stands in its place with the next claim: absolute numbers, so that a repeat changes nothing. A run that dies
 * leaves its share taken.
 *
 * KEYS 1 due, 2 orders, 3 the tenant's runs, then what is named by number. ARGV 1 now, 2 token, 3 lease end, 4 most,
 * 5 awake until, 6 run, 7 lane, 8 most runs of a tenant (0: this one is not counted), 9 number of the key of the vendor account's
 * pause, where several lanes share one (0: none), 10 number of the key of the account's day, where it has a quota (0: none),
 * 11 calls allowed a day, 12 calls that this run has made on that day, 13 the most that its batch may make, 14 the day's end.
 * Answers `paused` with its end (and `quota` where that is the reason), `busy` (another run is at it), `full` (the tenant has
 * enough runs), `none`, or `batch` with the fixed batch, its share of calls and (id, attempt, payload, cursor, learned, joint) of each.
 */
export const CLAIM = `${HEAD}
local READY, LINE_MS, BATCH_BYTES = 1e15, ${LINE_MS}, ${BATCH_BYTES}
local z, o, runs = KEYS[1], KEYS[2], KEYS[3]
local now, token, lease, most, awake_until, run, lane = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7]
local state = redis.call('HMGET', o, '~p', '~r', '~o', '~b')
local paused, last, frozen = tonumber(state[1] or '0'), state[2], state[4]
local owner, owned_until = string.match(state[3] or '', '^(%S+) (%S+)$')
local mine = owner == run
local account, quota = KEYS[tonumber(ARGV[9])], KEYS[tonumber(ARGV[10])]
local share = ''
if quota then
  -- Sealed off at once: whatever follows, the run has made no more than this.
  if redis.call('HEXISTS', quota, run) == 1 then redis.call('HSET', quota, run, ARGV[12]) end
end
if owner and not mine and tonumber(owned_until) > now then return {'busy'} end
local most_runs = tonumber(ARGV[8])
local function leave(answer)
  redis.call('HDEL', o, '~a', '~o')
  if quota and redis.call('HDEL', quota, run) == 1 then redis.call('HINCRBY', quota, 'ended', ARGV[12]) end
  if most_runs > 0 then redis.call('ZREM', runs, lane) end
  return answer
end
if account then
  local rests = tonumber(redis.call('GET', account) or '0')
  if rests > now and rests > paused then
    paused = rests
    redis.call('HSET', o, '~p', string.format('%.0f', rests))
  end
end
if paused > now then return leave({'paused', string.format('%.0f', paused)}) end
local ids, seen = {}, {}
local again = last and string.sub(last, 1, #token + 1) == token .. ' '
if again then
  for id in string.gmatch(string.sub(last, #token + 2), '%S+') do
    if redis.call('HGET', o, id .. ':t') == token then ids[#ids + 1] = id end
  end
else
  for id in string.gmatch(frozen or '', ' (%S+)') do
    if redis.call('ZSCORE', z, id) then ids[#ids + 1] = id end
  end
  if #ids == 0 then
    if frozen then redis.call('HDEL', o, '~b') end
    frozen = false
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', z, 0, now, 'LIMIT', 0, most * 4)) do
      local deadline = redis.call('HGET', o, id .. ':d')
      if deadline then redis.call('ZADD', z, tonumber(deadline) - READY, id) else redis.call('ZREM', z, id) end
    end
    ids = redis.call('ZRANGEBYSCORE', z, '-inf', '(0', 'LIMIT', 0, most)
  end
end
if #ids == 0 then return leave({'none'}) end
if most_runs > 0 and not mine then
  -- Below zero stands who waits, since when: so many go first.
  local place = tonumber(redis.call('ZSCORE', runs, lane) or '0')
  local oldest = now - LINE_MS - READY
  if place >= 0 or place < oldest then place = now - READY end
  local ahead = redis.call('ZCOUNT', runs, string.format('%.0f', oldest), string.format('(%.0f', place))
  if redis.call('ZCOUNT', runs, '(' .. now, '+inf') + ahead >= most_runs then
    leave()
    redis.call('ZADD', runs, string.format('%.0f', place), lane)
    return {'full'}
  end
end
if quota then
  local left = tonumber(ARGV[11])
  for _, each in ipairs(redis.call('HVALS', quota)) do left = left - tonumber(each) end
  if left <= 0 then
    redis.call('HSET', o, '~p', ARGV[14])
    return leave({'paused', ARGV[14], 'quota'})
  end
  share = math.min(left, tonumber(ARGV[13]))
  redis.call('HSET', quota, run, string.format('%.0f', tonumber(ARGV[12]) + share))
  -- A day longer than its day, whatever two clocks think of it.
  redis.call('PEXPIRE', quota, string.format('%.0f', tonumber(ARGV[14]) - now + 86400000))
end
for _, id in ipairs(ids) do seen[id] = true end
-- What failed by itself and waits for its time is not pulled out of it.
local function is_ready(id)
  local score = redis.call('ZSCORE', z, id)
  return score and tonumber(score) <= now
end
local batch = {'batch', frozen or '', tostring(share)}
local taken, wanted, bytes = {}, {}, 0
local i = 1
while i <= #ids do
  local id = ids[i]
  -- What was given once, or has to come as it was fixed, is given whole; and nobody is parted from those it was joined with.
  if again or frozen or wanted[id] or bytes < BATCH_BYTES then
    if not again then
      redis.call('ZADD', z, lease, id)
      redis.call('HINCRBY', o, id .. ':n', 1)
      redis.call('HSET', o, id .. ':t', token)
    end
    local row = redis.call('HMGET', o, id .. ':n', id, id .. ':c', id .. ':l', id .. ':j')
    batch[#batch + 1] = id
    for f = 1, 5 do
      batch[#batch + 1] = row[f] or ''
      bytes = bytes + #(row[f] or '')
    end
    taken[#taken + 1] = id
    for twin in string.gmatch(not again and not frozen and row[5] or '', '%S+') do
      wanted[twin] = true
      if not seen[twin] and is_ready(twin) then
        seen[twin] = true
        ids[#ids + 1] = twin
      end
    end
  end
  i = i + 1
end
if most_runs > 0 then redis.call('ZADD', runs, lease, lane) end
redis.call('HSET', o, '~a', awake_until, '~r', token .. ' ' .. table.concat(taken, ' '), '~o', run .. ' ' .. lease)
return batch
`;

/**
 * Fixes a bulk batch before its call, as long as the run has the lane: whoever has lost it must not undo what another has
 * fixed since. KEYS 1 orders. ARGV 1 now, 2 run, 3 batch: its id and its members.
 */
export const FREEZE = `${HEAD}
local owner, lease = string.match(redis.call('HGET', KEYS[1], '~o') or '', '^(%S+) (%S+)$')
if owner ~= ARGV[2] or tonumber(lease) <= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], '~b', ARGV[3])
return 1
`;

/**
 * A run that stops lets go of its lane, and of what it did not use of the day's calls.
 * KEYS 1 orders, 2 the tenant's runs, 3 the vendor account's day, where it has a quota. ARGV 1 run, 2 lane, 3 calls made.
 */
export const RELEASE = `${HEAD}
if KEYS[3] and redis.call('HDEL', KEYS[3], ARGV[1]) == 1 then redis.call('HINCRBY', KEYS[3], 'ended', ARGV[3]) end
local owner = string.match(redis.call('HGET', KEYS[1], '~o') or '', '^(%S+)')
if owner ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], '~o')
redis.call('ZREM', KEYS[2], ARGV[2])
return 1
`;
