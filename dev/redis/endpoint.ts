import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "./engine.ts";
import { refusal, refusalIn } from "./refusal.ts";
import { keepScripts, SCRIPTING } from "./scripts.ts";

/** What the product did to its store. Bytes are those of bodies; script commands are counted for scripts that succeed. */
export interface Stats {
  readonly roundTrips: number;
  /** As Upstash bills them: one a command, each item of a pipeline or transaction is one. */
  readonly commands: number;
  readonly scriptCommands: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** The running endpoint, and what tests may do to it. */
export interface Endpoint {
  /** The same protocol for a request that reached another server of this process. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  readonly url: string;
  stats(): Stats;
  resetStats(): void;
  /** While on, connections end without an answer. */
  outage(on: boolean): void;
  /** How long each request waits before it is served, in milliseconds. */
  delay(ms: number): void;
  /** The clock moved on by so many milliseconds: each key that has a lifetime loses as much of it, and goes if none is left. */
  age(ms: number): Promise<void>;
  flush(): Promise<void>;
  /** A command straight to the engine: not billed, not guarded. */
  raw(command: readonly string[]): Promise<unknown>;
  stop(): Promise<void>;
}

/** Upstash's own limit on one request. @see https://upstash.com/docs/redis/troubleshooting */
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;

/** Not to be had over REST at Upstash, or not here because its keys cannot be checked (functions). */
const REFUSED: ReadonlySet<string> = new Set(
  `blpop brpop blmove blmpop brpoplpush bzpopmin bzpopmax bzmpop wait waitaof multi exec discard watch unwatch auth hello
  quit reset select swapdb move client cluster asking readonly readwrite migrate failover replicaof slaveof psync sync
  replconf role subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe monitor config debug shutdown save
  bgsave bgrewriteaof lastsave latency module slowlog restore-asking fcall fcall_ro function`.split(/\s+/),
);

/**
 * Serves Upstash's REST protocol on 127.0.0.1 in front of an engine; `port` 0 takes a free one.
 *
 * @see https://upstash.com/docs/redis/features/restapi
 */
export async function startEndpoint(options: {
  readonly engine: Engine;
  readonly token: string;
  readonly port?: number;
}): Promise<Endpoint> {
  const { engine, token } = options;
  const zero = () => ({ roundTrips: 0, commands: 0, scriptCommands: 0, bytesIn: 0, bytesOut: 0 });
  let stats = zero();
  let isOut = false;
  let delayMs = 0;
  const scripts = keepScripts(engine, (calls) => {
    stats.scriptCommands += calls;
  });

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    serve(request, response).catch((error: unknown) => {
      // Only what is not a refusal comes here: the engine is gone, or this endpoint is wrong.
      console.error(error);
      send(response, 500, { error: `ERR ${error instanceof Error ? error.message : String(error)}` });
    });
  };
  const server = createServer({ keepAliveTimeout: 60_000 }, handle);
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // It listens on TCP, so this is what it gives.

  const endpoint: Endpoint = {
    url,
    handle,
    stats: () => ({ ...stats }),
    resetStats() {
      stats = zero();
    },
    outage(on) {
      isOut = on;
    },
    delay(ms) {
      delayMs = ms;
    },
    async age(ms) {
      await engine.send(["EVAL", AGE, "0", String(ms)]);
    },
    async flush() {
      await engine.send(["FLUSHALL"]);
    },
    raw: (command) => engine.send(command),
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return endpoint;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
    const isControl = path.startsWith("/__");
    const body = await bodyOf(request);
    if (!isControl) {
      if (delayMs > 0) await sleep(delayMs);
      if (isOut) return void request.socket.destroy();
      stats.roundTrips += 1;
      stats.bytesIn += body.bytes;
    }
    const { status, value } = await answer(request, path, new URLSearchParams(query), body);
    const written = send(response, status, value, request.headers["upstash-sync-token"]);
    if (!isControl) stats.bytesOut += written;
  }

  async function answer(request: IncomingMessage, path: string, query: URLSearchParams, body: Body): Promise<Answer> {
    const { method = "", headers } = request;
    if (!["GET", "POST", "PUT", "HEAD"].includes(method)) return failed(405, "ERR method not allowed");
    if (headers.authorization !== `Bearer ${token}` && query.get("_token") !== token)
      return failed(401, "WRONGPASS invalid or missing auth token");
    if (path.startsWith("/__")) return control(path, query);
    if (body.bytes > MAX_REQUEST_BYTES) return failed(400, "ERR max request size exceeded");
    if (headers["upstash-response-format"]) return failed(400, "ERR Upstash-Response-Format is not supported here");
    query.delete("_token");
    const encode = headers["upstash-encoding"] === "base64" ? base64 : (value: unknown) => value;
    try {
      if (method === "POST" && path === "/pipeline")
        return {
          status: 200,
          value: await Promise.all(commandsIn(body).map((one) => outcome(run(one), encode, false))),
        };
      if (method === "POST" && path === "/multi-exec") {
        const replies = await transaction(commandsIn(body));
        return { status: 200, value: await Promise.all(replies.map((one) => outcome(one, encode, false))) };
      }
      const command = path === "/" ? parsed(body) : inPath(path, query, body);
      const value = await outcome(run(command), encode, true);
      return { status: "error" in value ? 400 : 200, value };
    } catch (error) {
      return failed(400, refusalIn(error));
    }
  }

  async function run(value: unknown): Promise<unknown> {
    const command = commandIn(value);
    stats.commands += 1;
    return SCRIPTING.has(command[0]) ? scripts.run(command) : engine.send(command);
  }

  /** Refused as a whole if one of its commands cannot be queued; errors at run time stand in the place of their reply. */
  async function transaction(values: readonly unknown[]): Promise<readonly Promise<unknown>[]> {
    const commands = values.map(commandIn);
    stats.commands += commands.length;
    const isScript = commands.map(([name]) => SCRIPTING.has(name));
    const replies = await engine.transaction(commands.map((one, at) => (isScript[at] ? scripts.prepare(one) : one)));
    return replies.map(async (reply, at) => {
      if (reply instanceof Error) throw reply;
      return isScript[at] ? scripts.unwrap(reply) : reply;
    });
  }

  async function control(path: string, query: URLSearchParams): Promise<Answer> {
    const ms = Number(query.get("ms") ?? Number.NaN);
    const isTime = Number.isSafeInteger(ms) && ms >= 0;
    if (path === "/__age" && isTime) await endpoint.age(ms);
    else if (path === "/__delay" && isTime) endpoint.delay(ms);
    else if (path === "/__outage") endpoint.outage(["1", "true"].includes(query.get("on") ?? ""));
    else if (path === "/__reset-stats") endpoint.resetStats();
    else if (path !== "/__stats") return failed(400, "ERR no such control path, or ms is not a whole number");
    return { status: 200, value: { result: endpoint.stats() } };
  }
}

/** Ages every key in one step. KEYS, because SCAN may give a key twice, which would age it twice. */
const AGE = `
local keys = redis.call('KEYS', '*')
for i = 1, #keys do
  local at = redis.call('PEXPIRETIME', keys[i])
  if at > 0 then redis.call('PEXPIREAT', keys[i], at - ARGV[1]) end
end`;

type Answer = { readonly status: number; readonly value: unknown };
type Body = { readonly text: string; readonly bytes: number };
type Command = readonly [string, ...string[]];

function failed(status: number, error: string): Answer {
  return { status, value: { error } };
}

type Encode = (value: unknown, isTop: boolean) => unknown;

async function outcome(reply: Promise<unknown>, encode: Encode, isTop: boolean) {
  try {
    const result = await reply;
    return result instanceof Error ? { error: refusalIn(result) } : { result: encode(result, isTop) };
  } catch (error) {
    return { error: refusalIn(error) };
  }
}

/** Every string in base64, but for a plain OK: clients decode all others, and inside arrays even that one. */
function base64(value: unknown, isTop: boolean): unknown {
  if (typeof value === "string") return isTop && value === "OK" ? value : Buffer.from(value).toString("base64");
  return Array.isArray(value) ? value.map((one) => base64(one, false)) : value;
}

function commandsIn(body: Body): readonly unknown[] {
  const commands = parsed(body);
  if (!Array.isArray(commands) || commands.length === 0) throw refusal("ERR failed to parse pipeline request");
  return commands;
}

function parsed(body: Body): unknown {
  try {
    return JSON.parse(body.text);
  } catch (error) {
    throw refusal(`ERR failed to parse request: ${error instanceof SyntaxError ? "invalid JSON" : String(error)}`);
  }
}

/** The name in lower case, the arguments as strings; refused where Upstash has no such command over REST. */
function commandIn(value: unknown): Command {
  if (!Array.isArray(value)) throw refusal("ERR failed to parse command");
  const [name, ...rest] = value.map((part: unknown) => {
    if (typeof part === "string") return part;
    if (typeof part === "number" || typeof part === "boolean") return String(part);
    throw refusal("ERR failed to parse command");
  });
  const lower = name?.toLowerCase() ?? "";
  const blocks = /^xread(group)?$/.test(lower) && rest.some((part) => part.toLowerCase() === "block");
  if (lower === "" || REFUSED.has(lower) || blocks)
    throw refusal(`ERR Command is not available: '${name ?? ""}'. See ${COMPATIBILITY} for details`);
  return [lower, ...rest];
}

const COMPATIBILITY = "https://upstash.com/docs/redis/overall/rediscompatibility";

/** `/set/key/value?EX=100`: the body is the last argument, then come the query's names and values. */
function inPath(path: string, query: URLSearchParams, body: Body): readonly string[] {
  const parts = path.slice(1).split("/").map(decodeURIComponent);
  return [...parts, ...(body.bytes > 0 ? [body.text] : []), ...[...query].flat().filter((part) => part !== "")];
}

/** Reads on past the limit without keeping anything, so that the sender hears the answer. */
function bodyOf(request: IncomingMessage): Promise<Body> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_REQUEST_BYTES) chunks.push(chunk);
    });
    request.on("end", () => resolve({ text: Buffer.concat(chunks).toString(), bytes }));
    request.on("error", reject);
  });
}

/** @returns the bytes of the body */
function send(response: ServerResponse, status: number, value: unknown, syncToken: unknown = ""): number {
  const payload = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": payload.length,
    "upstash-sync-token": syncToken === "" ? "local=1" : String(syncToken),
  });
  response.end(payload);
  return payload.length;
}
