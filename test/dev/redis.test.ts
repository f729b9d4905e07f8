import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "@upstash/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Endpoint, startEndpoint } from "../../dev/redis/endpoint.ts";
import { type Engine, startRedis } from "../../dev/redis/engine.ts";
import { KEY_ARGUMENTS } from "../../dev/redis/keys.ts";

const token = "dev_token";
const locking = "#!lua flags=allow-key-locking\n";
const clientOf = (url: string) => new Redis({ url, token, automaticDeserialization: false, retry: false });
const hasServer = spawnSync("redis-server", ["--version"]).status === 0;
const kinds: readonly Engine["kind"][] = hasServer ? ["redis-server", "memory"] : ["memory"];

describe.each(kinds)("the local endpoint on %s", (kind) => {
  let engine: Engine;
  let endpoint: Endpoint;
  let redis: Redis;

  beforeAll(async () => {
    engine = await startRedis({ engine: kind, ephemeral: true });
    endpoint = await startEndpoint({ engine, token });
    redis = clientOf(endpoint.url);
  });
  beforeEach(async () => {
    await endpoint.flush();
    endpoint.resetStats();
  });
  afterAll(async () => {
    await endpoint.stop();
    await engine.stop();
  });

  /** A request as no client would send it. */
  async function plain(path: string, init: RequestInit = {}) {
    const reply = await fetch(endpoint.url + path, { headers: { authorization: `Bearer ${token}` }, ...init });
    return { status: reply.status, body: await reply.json(), headers: reply.headers };
  }
  const post = (path: string, body: unknown) => plain(path, { method: "POST", body: JSON.stringify(body) });

  it.each(["plain", "test", "OK", "dGVzdA==", '{"a":1}', "123", "é€😀"])("gives back the value %s", async (value) => {
    expect(await redis.set("key", value)).toBe("OK");
    expect(await redis.get("key")).toBe(value);
    await redis.rpush("list", value, "OK");
    expect(await redis.lrange("list", 0, -1)).toEqual([value, "OK"]);
    expect(await redis.get("none")).toBeNull();
  });

  it("leaves only a top-level OK without base64, and numbers, nil and errors as they are", async () => {
    const headers = { authorization: `Bearer ${token}`, "upstash-encoding": "base64" };
    const send = (path: string, body: unknown) => plain(path, { method: "POST", headers, body: JSON.stringify(body) });
    expect((await send("/", ["SET", "k", "OK"])).body).toEqual({ result: "OK" });
    const commands = [["SET", "k", "OK"], ["MGET", "k", "none"], ["STRLEN", "k"], ["GET"]];
    expect((await send("/pipeline", commands)).body).toEqual([
      { result: "T0s=" },
      { result: ["T0s=", null] },
      { result: 2 },
      { error: "ERR wrong number of arguments for 'get' command" },
    ]);
  });

  it("answers each item of a pipeline for itself", async () => {
    const pipeline = redis.pipeline().set("a", "1").lpush("a", "x").get("a");
    const [set, push, get] = await pipeline.exec<["OK", number, string]>({ keepErrors: true });
    expect([set.result, get.result]).toEqual(["OK", "1"]);
    expect(push.error).toMatch(/^WRONGTYPE/);
    expect(endpoint.stats()).toMatchObject({ roundTrips: 1, commands: 3 });
  });

  it("runs a transaction without others in between", async () => {
    const both = () => redis.multi().incr("n").incr("n").exec<[number, number]>();
    const pairs = await Promise.all(Array.from({ length: 40 }, both));
    expect(pairs.every(([first, second]) => second === first + 1)).toBe(true);
  });

  it("refuses a transaction as a whole when one of its commands cannot be queued", async () => {
    const refused = await post("/multi-exec", [
      ["SET", "k", "1"],
      ["BLPOP", "k", 1],
    ]);
    expect(refused).toMatchObject({ status: 400, body: { error: expect.stringContaining("not available") } });
    expect(await redis.get("k")).toBeNull();
  });

  it("runs a script in a transaction", async () => {
    const script = `${locking}return redis.call('INCR', KEYS[1])`;
    expect(await redis.multi().set("n", "4").eval(script, ["n"], []).exec()).toEqual(["OK", 5]);
  });

  it("runs a script on the keys that it declares, and counts its calls", async () => {
    const script = `${locking}redis.call('HSET', KEYS[1], 'f', ARGV[1])
      local found = {}
      for i = 1, 3 do found[#found + 1] = redis.call('HGET', KEYS[1], 'f') end
      return {found, redis.call('INCR', KEYS[2]), redis.call('GET', KEYS[3]), {}, 'n' .. redis.call('HLEN', KEYS[1])}`;
    const reply = await redis.eval(script, ["h", "n", "none"], ["OK"]);
    expect(reply).toEqual([["OK", "OK", "OK"], 1, null, [], "n1"]);
    expect(endpoint.stats()).toMatchObject({ roundTrips: 1, commands: 1, scriptCommands: 7 });
  });

  it.each([
    ["return nil", null],
    ["return false", null],
    ["return 3", 3],
    ["return {1, false, 'x'}", [1, null, "x"]],
    ["return redis.call('SET', KEYS[1], ARGV[1])", "OK"],
    ["local v = redis.call('HMGET', KEYS[1], 'a', 'b') return v[1] and 1 or 0", 0],
    ["redis.call('ZADD', KEYS[1], 2, 'b', 1, 'a') return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', 5)", ["a", "b"]],
    [
      "redis.call('SET', KEYS[1], 'v', 'PX', 5000) return redis.call('PTTL', KEYS[1]) > 0 and 'soon' or 'never'",
      "soon",
    ],
    ["redis.call('SET', KEYS[1], 1 + 1) return redis.call('GET', KEYS[1])", "2"],
  ])("gives what the script %s returns", async (body, expected) => {
    expect(await redis.eval(locking + body, ["key"], ["arg"])).toEqual(expected);
  });

  it.each([
    ["GET", "'other'"],
    ["DEL", "KEYS[1], 'other'"],
    ["RENAME", "KEYS[1], 'other'"],
    ["MSET", "KEYS[1], 'v', 'other', 'v'"],
    ["ZUNIONSTORE", "KEYS[1], 2, KEYS[1], 'other'"],
    ["ZUNIONSTORE", "'other', 1, KEYS[1]"],
  ])("refuses %s(%s) where 'other' is not declared", async (name, args) => {
    const script = `${locking}return redis.call('${name}', ${args})`;
    await expect(redis.eval(script, ["key"], [])).rejects.toThrow("ERR Dynamic keys are not allowed in Lua scripts");
    await expect(redis.eval(script.replace("call", "pcall"), ["key"], [])).rejects.toThrow("Dynamic keys");
    expect(await endpoint.raw(["KEYS", "*"])).toEqual([]);
  });

  it.each(["TIME", "RANDOMKEY", "FLUSHALL", "SPOP"])("refuses %s inside a script", async (name) => {
    await expect(redis.eval(`${locking}return redis.call('${name}', KEYS[1])`, ["key"], [])).rejects.toThrow(
      "not allowed from script",
    );
  });

  it("tells a script's error", async () => {
    await redis.set("k", "text");
    await expect(redis.eval(`${locking}return redis.call('LPUSH', KEYS[1], 1)`, ["k"], [])).rejects.toThrow(
      "WRONGTYPE",
    );
    await expect(redis.eval(`${locking}return (`, ["k"], [])).rejects.toThrow("ERR");
    await expect(redis.eval(`${locking}error('stale', 0)`, ["k"], [])).rejects.toThrow("ERR stale");
  });

  it("refuses a script that does not promise to declare its keys", async () => {
    await expect(redis.eval("return 1", [], [])).rejects.toThrow("must begin with the line");
  });

  it("knows a script by its sha only after it came once", async () => {
    const script = `${locking}return {KEYS[1], ARGV[1]}`;
    const sha = createHash("sha1").update(script).digest("hex");
    await expect(redis.evalsha(sha, ["k"], ["v"])).rejects.toThrow("NOSCRIPT");
    expect(await redis.eval(script, ["k"], ["v"])).toEqual(["k", "v"]);
    expect(await redis.evalsha(sha, ["k"], ["v"])).toEqual(["k", "v"]);
    expect(await redis.scriptExists(sha)).toEqual([1]);
    await redis.scriptFlush();
    await expect(redis.evalsha(sha, ["k"], ["v"])).rejects.toThrow("NOSCRIPT");
    expect(await redis.scriptLoad(script)).toBe(sha);
    expect(await redis.evalsha(sha, ["k"], ["v"])).toEqual(["k", "v"]);
    expect(await redis.evalsha(sha, ["k"], ["v"])).toEqual(["k", "v"]);
  });

  it("takes commands as a path, with the body and the query as further arguments, and the token in the query", async () => {
    const headers = {};
    const set = await plain(`/set/a%2Fb?EX=100&_token=${token}`, { method: "POST", body: "v w", headers });
    expect(set).toMatchObject({ status: 200, body: { result: "OK" } });
    expect((await plain("/get/a%2Fb")).body).toEqual({ result: "v w" });
    expect((await plain("/ttl/a%2Fb")).body).toEqual({ result: 100 });
    expect(set.headers.get("upstash-sync-token")).not.toBe("");
  });

  it("refuses what Upstash refuses", async () => {
    expect(await plain("/get/k", { headers: { authorization: "Bearer other" } })).toMatchObject({ status: 401 });
    expect(await plain("/get/k", { headers: {} })).toMatchObject({ status: 401, body: { error: expect.any(String) } });
    expect(await plain("/get/k", { method: "DELETE" })).toMatchObject({ status: 405 });
    expect(await post("/", ["BLPOP", "k", 1])).toMatchObject({ status: 400 });
    expect(await post("/", ["XREAD", "BLOCK", 0, "STREAMS", "k", "$"])).toMatchObject({ status: 400 });
    expect(await post("/", { not: "a command" })).toMatchObject({ status: 400 });
    expect(await post("/", ["nonsense"])).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining("ERR") },
    });
    const large = ["SET", "k", "x".repeat(10 * 1024 * 1024)];
    expect(await post("/", large)).toMatchObject({ status: 400, body: { error: "ERR max request size exceeded" } });
  });

  it("ages keys: each loses the time that passed, and goes when none is left", async () => {
    await redis.set("short", "1", { ex: 60 });
    await redis.set("long", "1", { ex: 86_400 });
    await redis.set("ever", "1");
    await endpoint.age(3_600_000);
    expect(await redis.mget("short", "long", "ever")).toEqual([null, "1", "1"]);
    expect(await redis.ttl("long")).toBeGreaterThan(82_700);
    expect(await redis.ttl("long")).toBeLessThanOrEqual(82_800);
    await plain("/__age?ms=86400000", { method: "POST" });
    expect(await redis.keys("*")).toEqual(["ever"]);
  });

  it("ends connections during an outage, and still obeys its controls", async () => {
    await redis.set("k", "1");
    expect(await plain("/__outage?on=true", { method: "POST" })).toMatchObject({ status: 200 });
    await expect(redis.get("k")).rejects.toThrow();
    expect((await plain("/__stats")).body).toMatchObject({ result: { roundTrips: 1, commands: 1 } });
    await plain("/__outage?on=false", { method: "POST" });
    expect(await redis.get("k")).toBe("1");
    expect(await plain("/__stats", { headers: {} })).toMatchObject({ status: 401 });
  });
});

describe.runIf(hasServer)("redis-server", () => {
  it("keeps what was written across a restart", async () => {
    const dir = await mkdtemp(join(tmpdir(), "quittance-test-"));
    for (const expected of [null, "kept"]) {
      const engine = await startRedis({ dir, engine: "redis-server" });
      const endpoint = await startEndpoint({ engine, token });
      expect(await clientOf(endpoint.url).get("k")).toBe(expected);
      await clientOf(endpoint.url).set("k", "kept");
      await endpoint.stop();
      await engine.stop();
    }
    await rm(dir, { recursive: true });
  });

  it("has the same keys for each command as Redis itself", async () => {
    const engine = await startRedis({ engine: "redis-server", ephemeral: true });
    const samples = {
      first: { args: ["K", "1", "2", "3", "4", "5", "6"], keys: ["K"] },
      firstTwo: { args: ["K", "L", "1", "2", "3", "4", "5"], keys: ["K", "L"] },
      all: { args: ["K", "L", "M"], keys: ["K", "L", "M"] },
      everySecond: { args: ["K", "v", "L", "v"], keys: ["K", "L"] },
      afterFirst: { args: ["AND", "K", "L"], keys: ["K", "L"] },
      counted: { args: ["2", "K", "L", "MIN"], keys: ["K", "L"] },
      countedAfterFirst: { args: ["D", "2", "K", "L"], keys: ["D", "K", "L"] },
    };
    for (const [kind, sample] of Object.entries(samples))
      for (const name of KEY_ARGUMENTS[kind as keyof typeof samples]) {
        const [info] = (await engine.send(["COMMAND", "INFO", name])) as [[string, number]];
        const args = info[1] > 0 ? sample.args.concat(Array(9).fill("x")).slice(0, info[1] - 1) : sample.args;
        expect(await engine.send(["COMMAND", "GETKEYS", name, ...args]), name).toEqual(sample.keys);
      }
    await engine.stop();
  });
});
