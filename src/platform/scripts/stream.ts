import { HEAD } from "./shared.ts";

/**
 * Takes a stream for one reader, over all invocations, until the lease ends; the same reader gets it again.
 *
 * KEYS 1 stream. ARGV 1 now, 2 reader, 3 lease end.
 * Answers `busy`, `resting` (nobody could be reached a while ago), or `taken` with cursor, time of the cursor, origin, failures.
 */
export const TAKE = `${HEAD}
local now = tonumber(ARGV[1])
local row = redis.call('HMGET', KEYS[1], 'l', 'r', 'c', 'at', 'o', 'f')
local owner, till = string.match(row[1] or '', '^(%S+) (%S+)$')
if owner and owner ~= ARGV[2] and tonumber(till) > now then return {'busy'} end
if tonumber(row[2] or '0') > now and owner ~= ARGV[2] then return {'resting'} end
redis.call('HSET', KEYS[1], 'l', ARGV[2] .. ' ' .. ARGV[3])
return {'taken', row[3] or '', row[4] or '', row[5] or '', row[6] or ''}
`;

/**
 * Notes how far a reader has come, as long as nobody else has taken the stream: whoever comes late must not put its cursor
 * back. KEYS 1 stream. ARGV 1 reader, 2 lease end (0: it lets go), then fields (name, value).
 */
export const ADVANCE = `${HEAD}
local owner = string.match(redis.call('HGET', KEYS[1], 'l') or '', '^(%S+)')
if owner ~= ARGV[1] then return 0 end
if #ARGV > 2 then redis.call('HSET', KEYS[1], unpack(ARGV, 3)) end
if ARGV[2] == '0' then redis.call('HDEL', KEYS[1], 'l') else redis.call('HSET', KEYS[1], 'l', ARGV[1] .. ' ' .. ARGV[2]) end
return 1
`;
