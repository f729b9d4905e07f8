/**
 * Which arguments of a command are keys, for the commands that a script may call. What is not listed is refused in
 * scripts: commands whose reply does not follow from the data and the arguments (TIME, SPOP, SCAN ...), commands on the
 * whole database, blocking ones, and those that name keys in patterns (SORT).
 *
 * @see https://redis.io/docs/latest/develop/reference/key-specs/
 */
export const KEY_ARGUMENTS = {
  first:
    words(`hget hset zadd get set hdel hmget zrem zrangebyscore zscore hgetall expire pexpire sadd srem zrange zcard
    scard sismember smembers hexists hincrby hlen hmset hsetnx hkeys hvals hstrlen hincrbyfloat zcount zincrby zmscore
    zpopmin zpopmax zrank zrevrank zrevrange zrevrangebyscore zrangebylex zrevrangebylex zlexcount zremrangebyscore
    zremrangebyrank zremrangebylex smismember incr decr incrby decrby incrbyfloat append strlen getrange setrange substr
    getdel getex getset setex psetex setnx setbit getbit bitcount bitpos bitfield bitfield_ro expireat pexpireat ttl pttl
    expiretime pexpiretime persist type lpush lpushx rpush rpushx lpop rpop llen lindex lset lrange lrem linsert ltrim
    lpos pfadd xadd xlen xrange xrevrange xdel xtrim geoadd geodist geopos geohash geosearch dump`),
  firstTwo: words("rename renamenx copy smove lmove rpoplpush zrangestore geosearchstore"),
  all: words("del unlink exists touch mget sinter sunion sdiff sinterstore sunionstore sdiffstore pfcount pfmerge"),
  everySecond: words("mset msetnx"),
  afterFirst: words("bitop"),
  /** The first argument says how many keys follow. */
  counted: words("zunion zinter zdiff zintercard sintercard lmpop zmpop"),
  /** A destination, then how many keys follow. */
  countedAfterFirst: words("zunionstore zinterstore zdiffstore"),
  none: words("ping echo publish"),
} as const;

/** The line by which a script promises to touch only the keys it declares; Upstash then locks these and no others. */
export const KEY_LOCKING = "#!lua flags=allow-key-locking";

/** In Upstash's words, as its servers answer. @see https://upstash.com/docs/redis/features/key-locking */
export const DYNAMIC_KEYS = "Dynamic keys are not allowed in Lua scripts when 'allow-key-locking' flag is set";

/**
 * The script as the engine runs it: each call is checked against KEYS and counted, and the reply is
 * `{calls, the script's own reply}`.
 *
 * Redis up to 7.0 refuses the flag, so the guard stands in place of that line, and the lines below keep their numbers.
 * The check comes at the call: what the script wrote before it stays, as with any error in a script.
 */
export function guarded(script: string, lua: { readonly before: string; readonly reply: string }): string {
  const opening = `${lua.before} ${GUARD} local function __script()`.replace(/\s+/g, " ");
  const closing = `end local __result = ${lua.reply}(__script()) return {__calls, __result}`;
  return `${opening}${script.slice(KEY_LOCKING.length)}\n${closing}`;
}

/** A search in a string costs less than building tables anew for each run, which is all that a script can do. */
const among = (kind: keyof typeof KEY_ARGUMENTS) => `find(' ${KEY_ARGUMENTS[kind].join(" ")} ', word, 1, true)`;

const GUARD = `
local __calls = 0
local redis = (function(engine)
  local find, declared = string.find, {}
  for i = 1, #KEYS do declared[KEYS[i]] = true end
  local function guard(run)
    return function(name, ...)
      local args, word = {...}, ' ' .. string.lower(name) .. ' '
      local first, last, step = 1, #args, 1
      if ${among("first")} then last = 1
      elseif ${among("all")} then last = #args
      elseif ${among("firstTwo")} then last = 2
      elseif ${among("everySecond")} then step = 2
      elseif ${among("afterFirst")} then first = 2
      elseif ${among("counted")} then first, last = 2, 1 + (tonumber(args[1]) or 0)
      elseif ${among("countedAfterFirst")} then args[2], first, last = args[1], 2, 2 + (tonumber(args[2]) or 0)
      elseif ${among("none")} then last = 0
      else error('This command is not allowed from script: ' .. name, 0) end
      for i = first, last, step do
        if not declared[tostring(args[i])] then error("${DYNAMIC_KEYS}", 0) end
      end
      __calls = __calls + 1
      return run(name, ...)
    end
  end
  return setmetatable({call = guard(engine.call), pcall = guard(engine.pcall)}, {__index = engine})
end)(redis)`;

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
