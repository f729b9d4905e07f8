import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { startMemory } from "./memory.ts";

/** What keeps the data behind the local endpoint. Whatever it refuses rejects with an error named `ReplyError`. */
export interface Engine {
  readonly kind: "redis-server" | "memory";
  /** Lua that goes before and around every script, where the engine's own Lua differs from Redis's. */
  readonly lua: { readonly before: string; readonly reply: string };
  send(command: readonly string[]): Promise<unknown>;
  /** All or nothing, without others in between. A command that fails alone gives an `Error` in its place. */
  transaction(commands: readonly (readonly string[])[]): Promise<readonly unknown[]>;
  stop(): Promise<void>;
}

/**
 * Starts a real `redis-server` that appends every write to `dir`; with `ephemeral`, or without a folder, it keeps nothing.
 * Where the machine has none and none was asked for by name, the data is held in memory: `kind` says so.
 */
export async function startRedis(options: {
  readonly dir?: string;
  readonly engine?: Engine["kind"];
  readonly ephemeral?: boolean;
}): Promise<Engine> {
  if (options.engine === "memory") return startMemory();
  const server = await startServer(options.ephemeral ? undefined : options.dir);
  if (server) return server;
  if (options.engine === undefined) return startMemory();
  throw new Error("redis-server is not on the PATH");
}

/**
 * Runs redis-server and ends it when the other end of channel 3 closes, which it does however this process ends: a server
 * left behind would go on writing to the folder.
 */
const SUPERVISED = 'redis-server "$@" 3<&- & server=$!; { read _; kill $server; } <&3 & wait $server';
const NOT_FOUND = 127; // By which a shell says that there is no such command.

/** A socket in a folder of its own, instead of a port: none to collide with, and nobody else can reach it. */
async function startServer(dir: string | undefined): Promise<Engine | undefined> {
  const home = await mkdtemp(join(tmpdir(), "quittance-redis-"));
  const path = join(home, "redis.sock");
  if (dir) await mkdir(dir, { recursive: true });
  const keep = ["--dir", dir ?? home, "--appendonly", dir ? "yes" : "no", "--save", ""];
  const server = spawn("sh", ["-c", SUPERVISED, "sh", "--port", "0", "--unixsocket", path, ...keep], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const exited = once(server, "exit");
  const stop = async () => {
    server.stdio[3]?.destroy();
    await exited;
    await rm(home, { recursive: true, force: true });
  };
  try {
    if (!(await isReady(server))) {
      await stop();
      return undefined;
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const client = new Redis({
    path,
    lazyConnect: true,
    enableAutoPipelining: true,
    autoResendUnfulfilledCommands: false, // A command whose reply was lost must not run twice unseen.
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => Math.min(times * 50, 1000),
  });
  client.on("error", (error) => console.error(`redis-server: ${error.message}`));

  return {
    kind: "redis-server",
    lua: { before: "", reply: "" },
    // Upper case keeps the client from reshaping replies (HGETALL as an object), which it does by the lower-case name.
    send: ([name = "", ...rest]) => client.call(name.toUpperCase(), ...rest),
    async transaction(commands) {
      const multi = client.multi();
      for (const [name = "", ...rest] of commands) multi.call(name.toUpperCase(), ...rest);
      return ((await multi.exec()) ?? []).map(([error, reply]) => error ?? reply);
    },
    async stop() {
      client.disconnect();
      await stop();
    },
  };
}

/** Waits for the line that redis-server prints once its data is loaded. False if there is no redis-server. */
function isReady(server: ChildProcess): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let words = "";
    const hear = (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-2000);
      if (/ready to accept connections/i.test(words)) resolve(true);
    };
    server.stdout?.on("data", hear);
    server.stderr?.on("data", hear);
    server.once("exit", (code) =>
      code === NOT_FOUND ? resolve(false) : reject(new Error(`redis-server did not start: ${words}`)),
    );
  });
}
