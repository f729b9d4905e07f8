import { HEAD } from "./shared.ts";

/**
 * Takes what is ready from one lane under a lease. The same token gets the same batch again, because a client may
 * repeat a call whose answer was lost. Touches the lane's two keys and no others.
 *
 * KEYS 1 due, 2 orders. ARGV 1 now, 2 token, 3 lease end, 4 most, 5 awake until.
 * Answers `paused` with its end, `none`, or `batch` with (id, attempt, payload, cursor, learned) of each.
 */
export const CLAIM = `${HEAD}
local READY = 1e15
local z, o = KEYS[1], KEYS[2]
local now, token, lease, most, awake_until = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local paused = redis.call('HGET', o, '~p')
if paused and tonumber(paused) > now then
  redis.call('HDEL', o, '~a')
  return {'paused', paused}
end
local ids = {}
local last = redis.call('HGET', o, '~r')
local again = last and string.sub(last, 1, #token + 1) == token .. ' '
if again then
  for id in string.gmatch(string.sub(last, #token + 2), '%S+') do
    if redis.call('HGET', o, id .. ':t') == token then ids[#ids + 1] = id end
  end
else
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', z, 0, now, 'LIMIT', 0, most * 4)) do
    local deadline = redis.call('HGET', o, id .. ':d')
    if deadline then redis.call('ZADD', z, tonumber(deadline) - READY, id) else redis.call('ZREM', z, id) end
  end
  ids = redis.call('ZRANGEBYSCORE', z, '-inf', '(0', 'LIMIT', 0, most)
end
if #ids == 0 then
  redis.call('HDEL', o, '~a')
  return {'none'}
end
local batch = {'batch'}
for _, id in ipairs(ids) do
  if not again then
    redis.call('ZADD', z, lease, id)
    redis.call('HINCRBY', o, id .. ':n', 1)
    redis.call('HSET', o, id .. ':t', token)
  end
  local row = redis.call('HMGET', o, id .. ':n', id, id .. ':c', id .. ':l')
  batch[#batch + 1] = id
  for i = 1, 4 do batch[#batch + 1] = row[i] or '' end
end
redis.call('HSET', o, '~a', awake_until, '~r', token .. ' ' .. table.concat(ids, ' '))
return batch
`;
