import { HEAD } from "./shared.ts";

/**
 * Writes a subject's record and the index of its identities. An identity that belongs to another subject is refused,
 * and nothing is changed.
 *
 * KEYS 1 subject, 2 subject's open requests, then per identity: identity, suppression.
 * ARGV 1 subject, 2 now, 3 wrapped key for a new record, 4 lift suppressions (1), 5 number of identities, then per identity: since,
 * then fields (name, value). Answers `taken` with the identity's number, `under_erasure`, or `linked` with whether the record is new, the number of suppressed,
 * their numbers, then the open requests.
 */
export const LINK = `${HEAD}
local subject, now, count = ARGV[1], ARGV[2], tonumber(ARGV[5])
local owner_of = {}
for i = 1, count do
  local owner = redis.call('HGET', KEYS[1 + 2 * i], 's')
  if owner and owner ~= subject then return {'taken', i} end
  owner_of[i] = owner
end
-- A new consent counts from the close of the erasure on.
if ARGV[4] == '1' and redis.call('SCARD', KEYS[2]) > 0 then return {'under_erasure'} end
local is_new = redis.call('HEXISTS', KEYS[1], 'k') == 0
if is_new then
  -- Fields that were sealed under another key than the record's could never be read: the caller seals again.
  if ARGV[3] == '' then return {'gone'} end
  redis.call('HDEL', KEYS[1], 'gone')
  redis.call('PERSIST', KEYS[1])
  redis.call('HSET', KEYS[1], 'k', ARGV[3], 'at', now)
elseif ARGV[3] ~= '' then
  return {'exists'}
end
if is_new or ARGV[4] == '1' then redis.call('HDEL', KEYS[1], 'x') end
local suppressed = {}
for i = 1, count do
  local since = ARGV[5 + i]
  local known = redis.call('HGET', KEYS[1 + 2 * i], 'at')
  if known and since ~= '' and tonumber(known) >= tonumber(since) then since = '' end
  redis.call('HSET', KEYS[1 + 2 * i], 's', subject)
  -- Before it was linked it may have been there for a while only, as what a vendor has said to be restored.
  if not owner_of[i] then redis.call('PERSIST', KEYS[1 + 2 * i]) end
  -- Only a stated time makes older signals stale: an identity may have been there long before it was linked here.
  if since ~= '' then redis.call('HSET', KEYS[1 + 2 * i], 'at', since) end
  local entry = redis.call('GET', KEYS[2 + 2 * i])
  if entry then
    -- What only keeps a vendor's echo away ends with a new connection; an erased person's entry only with a new consent.
    if ARGV[4] == '1' or string.sub(entry, 1, 6) == 'acted ' then
      if since ~= '' or ARGV[4] == '1' then redis.call('DEL', KEYS[2 + 2 * i]) end
    else
      suppressed[#suppressed + 1] = i
    end
  end
end
for f = 6 + count, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[f], ARGV[f + 1]) end
redis.call('HINCRBY', KEYS[1], 'v', 1)
local answer = {'linked', is_new and '1' or '0', #suppressed}
for _, i in ipairs(suppressed) do answer[#answer + 1] = i end
for _, request in ipairs(redis.call('SMEMBERS', KEYS[2])) do answer[#answer + 1] = request end
return answer
`;
