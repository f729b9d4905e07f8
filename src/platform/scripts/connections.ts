import { ENDS, HEAD } from "./shared.ts";

/**
 * `unconfirmed → active`: the product has shown the one-time code, in the session of the subject that it names.
 * KEYS 1 connection. ARGV 1 digest of the code, 2 subject, 3 now. Answers `confirmed` (and again, to the same), or why not:
 * `none`, `refused`, `ended`.
 */
export const CONFIRM = `${HEAD}
local row = redis.call('HMGET', KEYS[1], 'st', 'c', 's')
if not row[1] then return 'none' end
if row[2] ~= ARGV[1] then return row[1] == 'ended' and 'ended' or 'refused' end
if row[1] == 'active' then return row[3] == ARGV[2] and 'confirmed' or 'refused' end
if row[1] ~= 'unconfirmed' then return 'ended' end
redis.call('HSET', KEYS[1], 'st', 'active', 's', ARGV[2], 'sa', ARGV[3])
return 'confirmed'
`;

/**
 * Reads a grant, and where its access token needs to be renewed lets one runner do it: the lease says who.
 * KEYS 1 connection. ARGV 1 now, 2 until when the token has to last, 3 runner, 4 the lease's end, 5 who is given the token: an API key's
 * id, for whom the connection has to be active and who is noted, or `` for our own act; from 6 on, the subprocessors of which nobody is
 * given a token, because they are not in force.
 * Answers `none`; `ended` with how; `not_active` with the state; `not_in_force` with the subprocessor; `busy` while another runner renews a token that has expired; else
 * `held`, or `renew` to the one runner, with key, grant and version, whether an earlier runner never said what came of it, and
 * the subprocessor.
 */
export const TAKE = `${HEAD}
local now, runner, by = tonumber(ARGV[1]), ARGV[3], ARGV[5]
local row = redis.call('HMGET', KEYS[1], 'st', 'k', 't', 'v', 'e', 'l', 'f', 'r', 'p')
local status, expires = row[1], tonumber(row[5] or '')
if not status then return {'none'} end
if status == 'ended' then return {'ended', row[8] or ''} end
if by ~= '' and status ~= 'active' then return {'not_active', status} end
for each = 6, #ARGV do
  if row[9] == ARGV[each] then return {'not_in_force', row[9]} end
end
local leased, lease_end = string.match(row[6] or '', '^(%S+) (%d+)$')
local mine = leased == runner
local renews = row[7] == '1' and expires and expires <= tonumber(ARGV[2])
local taken = leased and not mine and tonumber(lease_end) > now
if renews and taken and expires <= now then return {'busy'} end
-- Said twice by one who asks again, since a call may be sent twice: counted once.
if by ~= '' and redis.call('HGET', KEYS[1], 'gr') ~= runner and not (renews and not taken) then
  redis.call('HINCRBY', KEYS[1], 'gn', 1)
  redis.call('HSET', KEYS[1], 'ga', now, 'gb', by, 'gr', runner)
end
if not renews or taken then return {'held', row[2], row[3], row[4], '0', row[9]} end
redis.call('HSET', KEYS[1], 'l', runner .. ' ' .. ARGV[4])
return {'renew', row[2], row[3], row[4], (leased and not mine) and '1' or '0', row[9]}
`;

/**
 * Puts a renewed grant in the place of the one that it was made from, and nothing else's.
 * KEYS 1 connection. ARGV 1 version that was renewed, 2 runner, 3 grant, 4 when it expires, 5 whether it can be renewed, 6 now, 7 who is
 * given the token. An empty grant only lets go of the lease, and notes who is given the token that stands. Answers 1 when it stands.
 */
export const RENEWED = `${HEAD}
local row = redis.call('HMGET', KEYS[1], 'st', 'v', 't', 'l')
local leased = string.match(row[4] or '', '^(%S+) ')
if ARGV[3] == '' then
  if leased == ARGV[2] then redis.call('HDEL', KEYS[1], 'l') end
  if ARGV[7] ~= '' and row[1] and redis.call('HGET', KEYS[1], 'gr') ~= ARGV[2] then
    redis.call('HINCRBY', KEYS[1], 'gn', 1)
    redis.call('HSET', KEYS[1], 'ga', ARGV[6], 'gb', ARGV[7], 'gr', ARGV[2])
  end
  return 1
end
if row[3] == ARGV[3] then return 1 end
if (row[1] ~= 'active' and row[1] ~= 'unconfirmed' and row[1] ~= 'ending') or row[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 't', ARGV[3], 'v', tonumber(ARGV[1]) + 1, 'e', ARGV[4], 'f', ARGV[5])
if leased == ARGV[2] then redis.call('HDEL', KEYS[1], 'l') end
if ARGV[7] ~= '' then
  redis.call('HINCRBY', KEYS[1], 'gn', 1)
  redis.call('HSET', KEYS[1], 'ga', ARGV[6], 'gb', ARGV[7], 'gr', ARGV[2])
end
return 1
`;

/**
 * From now on nobody is given its tokens any more, because they are to be revoked.
 * KEYS 1 connection.
 */
export const ENDING = `${HEAD}${ENDS}
end_connection(KEYS[1])
return 1
`;

/**
 * Destroys the tokens and leaves how it ended, for a while: the first end stays.
 * KEYS 1 connection, 2 its account's connections, 3 those of the account's household. ARGV 1 how it ended, 2 member of the account's set, 3 keep milliseconds.
 */
export const END = `${HEAD}
local status = redis.call('HGET', KEYS[1], 'st')
if not status then return 0 end
if status ~= 'ended' then
  redis.call('HSET', KEYS[1], 'st', 'ended', 'r', ARGV[1])
  redis.call('HDEL', KEYS[1], 'k', 't', 'l', 'c', 'e', 'f')
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
redis.call('SREM', KEYS[2], ARGV[2])
redis.call('SREM', KEYS[3], ARGV[2])
return 1
`;
