import { spawnSync } from "node:child_process";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from "vitest";
import { type Endpoint, startEndpoint } from "../../dev/redis/endpoint.ts";
import { type Engine, startRedis } from "../../dev/redis/engine.ts";
import { DYNAMIC_KEYS } from "../../dev/redis/keys.ts";
import { type Command, type RedisClient, redisClient } from "../../src/platform/redis.ts";
import { createStore, type Store } from "../../src/platform/store.ts";

const token = "dev_token";
const hasServer = spawnSync("redis-server", ["--version"]).status === 0;

/** Redis itself where the machine has it, and the engine in memory: what holds for one holds for the other. */
export const engines: readonly Engine["kind"][] = hasServer ? ["redis-server", "memory"] : ["memory"];

/** One key as it lies in the store. A lifetime is what is left of it, in milliseconds. */
export type Entry = { readonly value: unknown; readonly lifetimeMs?: number };
export type Dump = Readonly<Record<string, Entry>>;

export type Stand = {
  readonly kind: Engine["kind"];
  readonly client: RedisClient;
  readonly store: Store;
  /** Every script that was sent, whatever became of it. */
  readonly scripts: ReadonlySet<string>;
  /** Every key with all that it holds. */
  readonly dump: () => Promise<Dump>;
  /** The same without what passes by itself: of a lifetime only that there is one. */
  readonly state: () => Promise<Dump>;
  /** Makes a call twice and proves that the second changed nothing; gives both answers. */
  readonly twice: <T>(call: () => Promise<T>) => Promise<readonly [T, T]>;
  readonly raw: (...command: readonly string[]) => Promise<unknown>;
  readonly age: (ms: number) => Promise<void>;
  readonly flush: () => Promise<void>;
  readonly outage: (on: boolean) => void;
  /** Requests that reached the endpoint so far. */
  readonly roundTrips: () => number;
};

/** Runs tests on each engine, through the product's own client and the endpoint; each test finds an empty store. */
export function onEach(title: string, kinds: readonly Engine["kind"][], tests: (stand: Stand) => void): void {
  describe.each(kinds)(`${title} on %s`, (kind) => {
    let running: { readonly engine: Engine; readonly endpoint: Endpoint; readonly client: RedisClient } | undefined;
    const failures: string[] = [];
    const scripts = new Set<string>();
    const the = () => {
      if (running === undefined) throw new Error("the store has not been started");
      return running;
    };
    const client: RedisClient = {
      run: async (commands, how) => {
        for (const command of commands) if (isScript(command)) scripts.add(command.script);
        return the()
          .client.run(commands, how)
          .catch((error: unknown) => {
            failures.push(String(error));
            throw error;
          });
      },
    };
    const raw = (...command: readonly string[]) => the().endpoint.raw(command);
    const dump = () => dumpOf(raw);
    const state = async () => lasting(await dump());

    beforeAll(async () => {
      const engine = await startRedis({ engine: kind, ephemeral: true });
      const endpoint = await startEndpoint({ engine, token });
      running = { engine, endpoint, client: redisClient(endpoint.url, token) };
    });
    beforeEach(async () => {
      await the().endpoint.flush();
      failures.length = 0;
    });
    // The endpoint refuses a script every key that it did not declare.
    afterEach(() => {
      expect(failures.filter((text) => text.includes(DYNAMIC_KEYS) || text.includes("not allowed from"))).toEqual([]);
    });
    afterAll(async () => {
      await the().endpoint.stop();
      await the().engine.stop();
    });

    tests({
      kind,
      client,
      store: createStore(client),
      scripts,
      dump,
      state,
      raw,
      twice: async (call) => {
        const first = await call();
        const before = await state();
        const second = await call();
        expect(await state()).toEqual(before);
        return [first, second];
      },
      age: (ms) => the().endpoint.age(ms),
      flush: () => the().endpoint.flush(),
      outage: (on) => the().endpoint.outage(on),
      roundTrips: () => the().endpoint.stats().roundTrips,
    });
  });
}

const isScript = (command: Command): command is Extract<Command, { script: string }> => "script" in command;

/**
 * Repeats a pipeline as the client does when an answer was lost: its caller hears only the second. `shall` decides for each.
 */
export const repeating = (client: RedisClient, shall: () => boolean): RedisClient => ({
  run: async (commands) => {
    const first = await client.run(commands);
    return shall() ? client.run(commands) : first;
  },
});

/** The same numbers in [0, 1) for the same seed (a linear congruential generator, Numerical Recipes' constants). */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const lasting = (dump: Dump): Dump =>
  Object.fromEntries(
    Object.entries(dump).map(([key, { value, lifetimeMs }]) => [
      key,
      lifetimeMs === undefined ? { value } : { value, lifetimeMs: 1 },
    ]),
  );

/** The keys that hold, or are spelled with, what should be nowhere. */
export const holding = (dump: Dump, pattern: RegExp): readonly string[] =>
  Object.entries(dump).flatMap(([key, { value }]) => (pattern.test(`${key} ${JSON.stringify(value)}`) ? [key] : []));

async function dumpOf(raw: Stand["raw"]): Promise<Dump> {
  const names = strings(await raw("KEYS", "*")).toSorted();
  const entries = await Promise.all(names.map(async (key) => [key, await entryOf(raw, key)] as const));
  return Object.fromEntries(entries.flatMap(([key, entry]) => (entry === undefined ? [] : [[key, entry]])));
}

async function entryOf(raw: Stand["raw"], key: string): Promise<Entry | undefined> {
  const [value, left] = await Promise.all([contentOf(raw, key), raw("PTTL", key)]);
  // An engine may keep the name of what has lost its last member.
  if (value === undefined || (typeof value === "object" && Object.keys(value).length === 0)) return undefined;
  return Number(left) < 0 ? { value } : { value, lifetimeMs: Number(left) };
}

async function contentOf(raw: Stand["raw"], key: string): Promise<string | object | undefined> {
  switch (await raw("TYPE", key)) {
    case "hash":
      return pairs(strings(await raw("HGETALL", key)));
    case "zset":
      return pairs(strings(await raw("ZRANGE", key, "0", "-1", "WITHSCORES")));
    case "set":
      return strings(await raw("SMEMBERS", key)).toSorted();
    case "list":
      return strings(await raw("LRANGE", key, "0", "-1"));
    case "string":
      return String(await raw("GET", key));
    default:
      return undefined;
  }
}

const strings = (reply: unknown): readonly string[] => (Array.isArray(reply) ? reply.map(String) : []);

const pairs = (flat: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? "", flat[2 * at + 1] ?? ""] as const).toSorted(
      ([a], [b]) => (a < b ? -1 : 1),
    ),
  );
