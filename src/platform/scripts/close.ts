import { HEAD, LANE } from "./shared.ts";

/**
 * Ends a request in one step: appends its receipt to the log, keeps the residues that a later day will need, tells who
 * wants to know, shreds the request's key with everything sealed under it, and leaves the compact closed record. The
 * subject's record goes with the last open request that needs it; for as long as the receipt, its place says by which.
 *
 * KEYS 1 request, 2 open tasks, 3-5 the gateway lane's, 6 log, 7 open requests, 8 subject, 9 subject's open requests, 10 requests, then
 * what the rest names. ARGV 1 now, 2 token, 3 attempt, 4 request, 5 gateway lane, 6 keep milliseconds, 7 leaf, 8 compact
 * record, 9 awake until, 10 erases the subject (1), 11 subject's version, 12 number of identities, 13 of residues, 14 of notices,
 * 15 number of the key of the closing requests that it stands among (0: none), then identities (number of key), residues
 * (number of key, id, due, wrapped key, sealed), notices (number of lane's first key, lane, id, payload),
 * and the subject's fields to remove.
 */
export const CLOSE = `${HEAD}${LANE}
local r, ro = KEYS[1], KEYS[2]
local now, token, attempt, rid, gateway, keep = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local leaf, compact, awake_until, erases, version = ARGV[7], ARGV[8], tonumber(ARGV[9]), ARGV[10], ARGV[11]
local identities, residues, notices = tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local close = 'close:' .. rid
local OPEN_MS = 34560000000
if not held_by(KEYS[4], close, token, attempt) then return {'late'} end
local status = redis.call('HGET', r, 'st')
if status ~= 'open' or redis.call('SCARD', ro) > 0 then
  drop(KEYS[3], KEYS[4], close)
  return {'not_open'}
end
local known = redis.call('HGET', KEYS[8], 'v') or ''
if known ~= (redis.call('HGET', r, 'pv') or '') then
  -- Something was registered for this person after the plan: it is planned again before anything is closed.
  drop(KEYS[3], KEYS[4], close)
  if enqueue(KEYS[3], KEYS[4], KEYS[5], gateway, 'start:' .. rid, '', now, now, now, awake_until) then return {'replan', 0, gateway} end
  return {'replan', 0}
end
if known ~= version then return {'stale'} end
local a = 15
local function take()
  a = a + 1
  return ARGV[a]
end
local digest = redis.call('HGET', r, 'bh') or ''
local index = redis.call('RPUSH', KEYS[6], leaf) - 1
local gone = {}
for i = 1, identities do gone[i] = KEYS[tonumber(take())] end
for i = 1, residues do
  local key, id, due, wrapped, sealed = KEYS[tonumber(take())], take(), tonumber(take()), take(), take()
  redis.call('HSET', key, 'k', wrapped, 's', sealed)
  enqueue(KEYS[3], KEYS[4], KEYS[5], gateway, 'residue:' .. id, '', due, due, now, awake_until)
end
local woken = {}
for i = 1, notices do
  local first, lane, id, payload = tonumber(take()), take(), take(), take()
  if enqueue(KEYS[first], KEYS[first + 1], KEYS[first + 2], lane, id, payload, now, now + 259200000, now, awake_until) then woken[#woken + 1] = lane end
end
if redis.call('EXISTS', KEYS[8]) == 1 then
  for i = a + 1, #ARGV, 2 do
    redis.call('HDEL', KEYS[8], ARGV[i])
    redis.call('DEL', KEYS[tonumber(ARGV[i + 1])])
  end
  if erases == '1' then redis.call('HSET', KEYS[8], 'x', rid) end
end
redis.call('SREM', KEYS[9], rid)
local closing = KEYS[tonumber(ARGV[15])]
if closing then redis.call('ZREM', closing, rid) end
local erased_by = redis.call('HGET', KEYS[8], 'x')
if redis.call('SCARD', KEYS[9]) == 0 and erased_by then
  redis.call('DEL', KEYS[8], KEYS[9])
  for i = 1, #gone do redis.call('DEL', gone[i]) end
  redis.call('HSET', KEYS[8], 'gone', erased_by)
  redis.call('PEXPIRE', KEYS[8], keep)
end
redis.call('DEL', r, ro)
-- The receipt's place in the log stands before it; a field of its own would cost more than all it says.
redis.call('HSET', r, 'st', 'closed', 'c', index .. '.' .. compact)
if digest ~= '' then redis.call('HSET', r, 'bh', digest) end
redis.call('PEXPIRE', r, keep)
redis.call('ZREM', KEYS[7], rid)
-- The list forgets what has expired; a request may be open for months before its record's lifetime begins.
redis.call('ZREMRANGEBYSCORE', KEYS[10], '-inf', now - tonumber(keep) - OPEN_MS)
-- Some engines write round numbers with an exponent, which a lifetime may not have.
redis.call('PEXPIRE', KEYS[10], string.format('%.0f', tonumber(keep) + OPEN_MS))
drop(KEYS[3], KEYS[4], 'watch:' .. rid)
drop(KEYS[3], KEYS[4], close)
local answer = {'closed', index}
for _, lane in ipairs(woken) do answer[#answer + 1] = lane end
return answer
`;
