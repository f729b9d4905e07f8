import { randomUUID } from "node:crypto";
import type { Engine } from "./engine.ts";
import { refusal } from "./refusal.ts";

/**
 * An engine in memory, for machines without a `redis-server`: `ioredis-mock`, made to answer as Redis does where scripts
 * depend on it. Still different: an empty string reads as nil inside a script, a command on a key of another type may
 * pass, EVAL_RO may write, and a sorted set that lost its last member still exists.
 */
export async function startMemory(): Promise<Engine> {
  const { default: RedisMock } = await import("ioredis-mock");
  const redis = new RedisMock({ host: randomUUID() }); // Instances with the same host share their data.
  // Each entry begins with the name and the arity; the client's types do not know the form without arguments.
  const infos = (await Reflect.apply(redis.command, redis, [])) as [string, number][];
  const arities = new Map(infos.map(([name, arity]) => [name, arity]));

  const send = async (command: readonly string[]): Promise<unknown> => {
    const name = (command[0] ?? "").toLowerCase().replace(/^(eval|evalsha)_ro$/, "$1");
    const arity = arities.get(name);
    const method: unknown = Reflect.get(redis, name);
    if (arity === undefined || typeof method !== "function") throw refusal(`ERR unknown command '${command[0]}'`);
    if (arity > 0 ? command.length !== arity : command.length < -arity)
      throw refusal(`ERR wrong number of arguments for '${name}' command`);
    try {
      return asReply(await Reflect.apply(method, redis, withOptions(name, command.slice(1))));
    } catch (error) {
      const message = (error instanceof Error ? error.message : String(error))
        .replace(SCRIPT_ERROR, "")
        .replace(
          /^Key .* does not contain an? .*$/,
          "WRONGTYPE Operation against a key holding the wrong kind of value",
        );
      throw refusal(/^[A-Z]{3,} /.test(message) ? message : `ERR ${message}`);
    }
  };

  return {
    kind: "memory",
    lua: LUA,
    send,
    // Each command runs to its end before `send` first waits, so nothing comes in between.
    transaction: async (commands) =>
      (await Promise.allSettled(commands.map(send))).map((one) =>
        one.status === "fulfilled" ? one.value : one.reason,
      ),
    async stop() {
      await redis.flushall();
      redis.disconnect();
    },
  };
}

const SCRIPT_ERROR = "Error trying to loading or executing lua code string in VM: ";

/** ioredis-mock knows options in upper case only. Arguments that could be data stay as they are. */
function withOptions(name: string, args: readonly string[]): readonly string[] {
  const from = name === "set" ? 2 : /^z(rev)?range/.test(name) ? 3 : name === "zadd" ? 1 : args.length;
  const to = name === "zadd" ? args.findIndex((arg, at) => at >= from && !/^[a-z]+$/i.test(arg)) : args.length;
  return args.map((arg, at) => (at >= from && at < to ? arg.toUpperCase() : arg));
}

/** Lua's false and JavaScript's undefined are Redis's nil; HGETALL comes as an object. */
function asReply(value: unknown): unknown {
  if (value === undefined || value === null || value === false) return null;
  if (Array.isArray(value)) return value.map(asReply);
  return typeof value === "object" ? Object.entries(value).flat() : value;
}

/**
 * This engine's Lua is 5.3, hands out JavaScript arrays (counted from 1 at the top, from 0 inside), floats and errors
 * without text, and returns a table only if it was built in one piece.
 */
const LUA = {
  before: `
local redis = (function(engine)
  local function plain(value, base)
    if type(value) == 'number' then return math.tointeger(value) or value end
    if type(value) ~= 'userdata' then return value end
    local isList, size = pcall(function() return #value end)
    if not isList then return false end
    local list = {}
    for i = 1, size do list[i] = plain(value[i + base - 1], 0) end
    return list
  end
  local function call(...)
    local args = {...}
    for i = 1, select('#', ...) do
      local arg = args[i]
      if type(arg) == 'number' then arg = math.tointeger(arg) or string.format('%.17g', arg)
      elseif type(arg) ~= 'string' then error('Lua redis lib command arguments must be strings or integers', 0) end
      args[i] = tostring(arg)
    end
    local done, value = pcall(engine.call, table.unpack(args))
    if not done then error((string.gsub(tostring(value), '^%a*Error: ', '')), 0) end
    return plain(value, 1)
  end
  return {call = call, pcall = function(...)
    local done, value = pcall(call, ...)
    if done then return value end
    return {err = value}
  end}
end)(redis)
local function __reply(value)
  if value == true then return 1 end
  if type(value) == 'number' then return math.tointeger(value) or (value < 0 and math.ceil(value) or math.floor(value)) end
  if type(value) ~= 'table' then return value end
  if value.err then error(value.err, 0) end
  if value.ok then return value.ok end
  local list = {}
  for i = 1, #value do list[i] = __reply(value[i]) end
  return {table.unpack(list)}
end`,
  reply: "__reply",
};
