/**
 * Lua that several scripts share. Upstash runs a script that begins with this line under a lock of its declared keys
 * only, and refuses it every other key. Scripts take flat arguments and treat documents as opaque text, never ask the
 * time, and bear running twice.
 *
 * @see https://upstash.com/docs/redis/commands/scripting
 */
export const HEAD = "#!lua flags=allow-key-locking\n";

/**
 * A lane's sorted set holds two kinds of score. From zero up: the time at which an order becomes due. Below zero: it is
 * ready, and ordered by its deadline (`deadline - READY`), so that what is urgent is not starved by what was merely
 * due first.
 */
export const READY = 1e15;

/**
 * Which of an identity's signals are too old. `at` is when its present connection began, `re:{subprocessor}` when that
 * subprocessor last said that the account is there again.
 */
export const GENERATION = `
-- Of two that bear the same time, a connection does not end the signal, whose second may hold both; a restore does: it takes
-- back what was before it, and an erasure cannot be taken back.
local function superseded_by(identity, signal_at, heeds)
  if signal_at == 0 then return false end
  local row = redis.call('HMGET', identity, 'at', 're:' .. heeds)
  if row[1] and tonumber(row[1]) > signal_at then return 'connection' end
  if heeds ~= '' and row[2] and tonumber(row[2]) >= signal_at then return 'restored' end
  return false
end
`;

/** `scheduled → cancelled`: what was sealed for the request goes at once, and nothing of it stays in the gateway's lane. */
export const CANCELLED = `
local function cancel(r, z, o, open_requests, rid, document, keep)
  redis.call('HSET', r, 'st', 'cancelled', 'd', document)
  redis.call('HDEL', r, 'k', 's', 'held')
  redis.call('PEXPIRE', r, keep)
  drop(z, o, 'start:' .. rid)
  drop(z, o, 'confirm:' .. rid)
  drop(z, o, 'watch:' .. rid)
  redis.call('ZREM', open_requests, rid)
end
`;

/** From then on nobody is given the connection's tokens any more, because they are to be revoked. */
export const ENDS = `
local function end_connection(connection)
  local status = redis.call('HGET', connection, 'st')
  if status == 'unconfirmed' or status == 'active' then redis.call('HSET', connection, 'st', 'ending') end
end
`;

export const LANE = `
local READY = 1e15
local function lower_index(index, lane, at)
  local now_at = redis.call('ZSCORE', index, lane)
  if not now_at or tonumber(now_at) > at then redis.call('ZADD', index, at, lane) end
end
-- Puts orders of one deadline into a lane: id, payload and due time of each. Returns true when the lane was asleep and has
-- something ready: then it is awake from now on.
local function enqueue_all(z, o, index, lane, deadline, now, awake_until, orders)
  local fields, tokens, scores, first = {}, {}, {}, orders[3]
  for i = 1, #orders, 3 do
    local id, due = orders[i], orders[i + 2]
    fields[#fields + 1], fields[#fields + 2], fields[#fields + 3], fields[#fields + 4] = id, orders[i + 1], id .. ':d', deadline
    tokens[#tokens + 1] = id .. ':t'
    scores[#scores + 1], scores[#scores + 2] = due <= now and deadline - READY or due, id
    if due < first then first = due end
  end
  redis.call('HSET', o, unpack(fields))
  redis.call('HDEL', o, unpack(tokens))
  redis.call('ZADD', z, unpack(scores))
  lower_index(index, lane, first)
  if first > now then return false end
  local awake = tonumber(redis.call('HGET', o, '~a') or '0')
  if awake > now then return false end
  redis.call('HSET', o, '~a', awake_until)
  return true
end
local function enqueue(z, o, index, lane, id, payload, due, deadline, now, awake_until)
  return enqueue_all(z, o, index, lane, deadline, now, awake_until, {id, payload, due})
end
local function drop(z, o, id)
  redis.call('ZREM', z, id)
  redis.call('HDEL', o, id, id .. ':d', id .. ':n', id .. ':t', id .. ':c', id .. ':l', id .. ':j')
end
-- Orders of one person for the same thing become one piece of work, as long as the other has not been started: each then
-- names all of them, and whoever claims one claims the others too. Returns true when it is joined: to one party, and no more.
local function join(o, id, other)
  local row = redis.call('HMGET', o, other, other .. ':n', other .. ':j')
  if not row[1] or row[2] then return false end
  local all = {}
  for each in string.gmatch(row[3] or other, '%S+') do
    if each == id then return true end
    -- One that was ended by hand meanwhile is no member any more.
    if redis.call('HEXISTS', o, each) == 1 then all[#all + 1] = each end
  end
  if #all >= 8 then return false end
  all[#all + 1] = id
  for _, each in ipairs(all) do redis.call('HSET', o, each .. ':j', table.concat(all, ' ')) end
  return true
end
local function held_by(o, id, token, attempt)
  return redis.call('HGET', o, id .. ':t') == token and redis.call('HGET', o, id .. ':n') == attempt
end
`;
