import { GENERATION, HEAD, LANE } from "./shared.ts";

/**
 * Makes a request durable: its record, its start and its watch, in one step. Answers `stale` when the plan was made from
 * an older registry, `duplicate` when the record is there already (its missing start is put back), `noted` when the
 * delivery must not be obeyed (`superseded` by a newer connection or a later restore, an `echo` of our own erasure, or about somebody `unknown` where
 * that is to cause nothing). The
 * word that an account was restored begins a new generation of the identity there, in the same step as its note.
 *
 * KEYS 1 tenant, 2 request, 3 due, 4 orders, 5 lanes, 6 open requests, 7 requests, 8 ceiling, then per identity: identity,
 * suppression; last, where a grace window is to be seen at the gate, the subject's closing requests. ARGV: see
 * `recordCommand` in store/requests.ts.
 */
export const RECORD = `${HEAD}${LANE}${GENERATION}
local version, now, rid, lane = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local start_at, watch_at, deadline, awake_until = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local signal_at, echo_of, ceiling, note_ms, digest, mode = tonumber(ARGV[9]), ARGV[10], tonumber(ARGV[11]), tonumber(ARGV[12]), ARGV[13], ARGV[14]
local here, heeds, restores, restored_at, act_ms = ARGV[15], ARGV[16], ARGV[17], ARGV[18], tonumber(ARGV[19])
local identities = math.floor((#KEYS - 8) / 2)
local closing = KEYS[9 + 2 * identities]
-- For as long as a request may be held or late, so that nothing stays for ever whose end never comes.
local OPEN_MS = 34560000000
if redis.call('HGET', KEYS[1], 'v') ~= version then return {'stale'} end

local function start(...)
  return enqueue_all(KEYS[3], KEYS[4], KEYS[5], lane, deadline, now, awake_until, {'start:' .. rid, '', start_at, ...})
end

local status = redis.call('HGET', KEYS[2], 'st')
if status then
  if (redis.call('HGET', KEYS[2], 'bh') or '') ~= digest then return {'conflict'} end
  if status == 'scheduled' and not redis.call('HGET', KEYS[2], 'held') and redis.call('HEXISTS', KEYS[4], 'start:' .. rid) == 0 then
    if start() then return {'duplicate', status, '1'} end
  end
  return {'duplicate', status, '0'}
end

-- Of what nobody linked, this alone is kept, and for as long as anybody may still repeat what it takes back.
local function renew(identity, suppression)
  local field = 're:' .. restores
  local before = redis.call('HGET', identity, field)
  if before and tonumber(before) >= tonumber(restored_at) then return end
  redis.call('HSET', identity, field, restored_at)
  if redis.call('HEXISTS', identity, 's') == 0 then redis.call('PEXPIRE', identity, note_ms) end
  -- What is deleted after the restore is not an echo of what we did there before it.
  local entry = redis.call('GET', suppression)
  if not entry or string.match(entry, '^acted %S+ (%S+)') ~= restores then return end
  local acted_at = now - act_ms + redis.call('PTTL', suppression)
  if acted_at < tonumber(restored_at) then redis.call('DEL', suppression) end
end

local note, by = false, false
local stranger = string.find(mode, 'known', 1, true)
if mode == 'note' then note = 'recorded' end
for i = 1, identities do
  by = by or superseded_by(KEYS[7 + 2 * i], signal_at, heeds)
  if by then note = 'superseded' end
  stranger = stranger and redis.call('HEXISTS', KEYS[7 + 2 * i], 's') == 0
  if restores ~= '' then renew(KEYS[7 + 2 * i], KEYS[8 + 2 * i]) end
  local entry = echo_of ~= '' and redis.call('GET', KEYS[8 + 2 * i])
  if entry then
    local kind, actor = string.match(entry, '^(%S+) %S+ (%S+)')
    if actor == echo_of or (kind == 'erased' and here == '1') then note = 'echo' end
  end
end
if stranger and not note then note = 'unknown' end
if note then
  redis.call('HSET', KEYS[2], 'st', 'noted', 'note', note, 'at', now)
  if note == 'superseded' then redis.call('HSET', KEYS[2], 'by', by) end
  if digest ~= '' then redis.call('HSET', KEYS[2], 'bh', digest) end
  redis.call('PEXPIRE', KEYS[2], note_ms)
  return {'noted', note}
end

local held = string.find(mode, 'confirm', 1, true) and 'confirmation'
if ceiling > 0 then
  local count = redis.call('INCR', KEYS[8])
  if count == 1 then redis.call('PEXPIRE', KEYS[8], 7200000) end
  -- Whoever lets it go on then, does so without its having been confirmed, and sees that.
  if count > ceiling then held = 'ceiling' end
end
redis.call('HSET', KEYS[2], 'st', 'scheduled', unpack(ARGV, 20))
if digest ~= '' then redis.call('HSET', KEYS[2], 'bh', digest) end
redis.call('ZADD', KEYS[6], deadline, rid)
redis.call('ZADD', KEYS[7], now, rid)
if closing then
  redis.call('ZADD', closing, start_at, rid)
  local last = redis.call('ZRANGE', closing, -1, -1, 'WITHSCORES')
  -- Some engines write round numbers with an exponent, which a lifetime may not have.
  redis.call('PEXPIRE', closing, string.format('%.0f', tonumber(last[2]) - now + OPEN_MS))
end
if held then
  enqueue(KEYS[3], KEYS[4], KEYS[5], lane, 'watch:' .. rid, '', watch_at, deadline, now, awake_until)
  redis.call('HSET', KEYS[2], 'held', held)
  local woken = held == 'confirmation' and enqueue(KEYS[3], KEYS[4], KEYS[5], lane, 'confirm:' .. rid, '', now, deadline, now, awake_until)
  return {'held', woken and '1' or '0'}
end
if start('watch:' .. rid, '', watch_at) then return {'recorded', '1'} end
return {'recorded', '0'}
`;
