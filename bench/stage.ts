import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Secrets } from "../dev/gateway.ts";
import { newSecrets } from "../dev/keys.ts";
import { type Endpoint, startEndpoint } from "../dev/redis/endpoint.ts";
import { type Engine, startRedis } from "../dev/redis/engine.ts";
import { textOf } from "./responder.ts";
import { startWorkerd, type Workerd } from "./workerd.ts";

/** What stands around the Workers that are measured: the store, the queue's other end, and the vendors. */
export type Stage = {
  readonly redis: Endpoint;
  readonly kind: Engine["kind"];
  readonly secrets: Secrets;
  /** Who answers what is not the store. */
  vendors: RequestListener;
  /** The deployed bundle alone; or behind an entry that can be told to work lanes and to move the clock. */
  readonly startGateway: (how: "alone" | "driven") => Promise<Workerd>;
  /** Any other Worker, with the same way to the store. */
  readonly startWorker: (code: string, bindings: Readonly<Record<string, string>>) => Promise<Workerd>;
  readonly queue: { sends: number; readonly lanes: Set<string> };
  readonly stop: () => Promise<void>;
};

/** An origin of usual length, because receipts carry it. */
export const ORIGIN = "https://gateway.example.com";

export const TOKEN = "dev_bench_redis_token";

export const bundle = () => readFileSync(new URL("../dist/worker.js", import.meta.url), "utf8");

/** Starts all but the Workers. Everything listens on 127.0.0.1 and reaches nothing else. */
export async function startStage(): Promise<Stage> {
  const engine = await startRedis({ ephemeral: true });
  const redis = await startEndpoint({ engine, token: TOKEN });
  const secrets = await newSecrets();
  const queue = { sends: 0, lanes: new Set<string>() };
  const redisHost = new URL(redis.url).host;
  const outbound = await listen((request, response) =>
    request.headers.host === redisHost ? redis.handle(request, response) : stage.vendors(request, response),
  );
  const lanes = await listen(async (request, response) => {
    const text = await textOf(request);
    // A Worker that is stopped may be about to say something.
    if (text === undefined) return;
    queue.sends += 1;
    for (const lane of lanesIn(text)) queue.lanes.add(lane);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  const store = { UPSTASH_REDIS_REST_URL: redis.url, UPSTASH_REDIS_REST_TOKEN: TOKEN };
  const places = { outbound: outbound.host, queue: lanes.host };

  const stage: Stage = {
    redis,
    kind: engine.kind,
    secrets,
    vendors: (_, response) => void response.writeHead(502).end(),
    queue,
    startGateway: (how) =>
      startWorkerd({
        modules: how === "alone" ? { "worker.js": bundle() } : { "entry.js": DRIVEN, "worker.js": bundle() },
        bindings: { ...store, ...secrets, QUITTANCE_LOCAL: "true", PUBLIC_ORIGIN: ORIGIN },
        ...places,
      }),
    startWorker: (code, bindings) =>
      startWorkerd({ modules: { "worker.js": code }, bindings: { ...store, ...bindings }, ...places }),
    stop: async () => {
      await Promise.all([outbound.stop(), lanes.stop()]);
      await redis.stop();
      await engine.stop();
    },
  };
  return stage;
}

/** The queue is stood in for by posts; the bundle's handlers are called as the platform would call them. Its waits can be cut short. */
const DRIVEN = `
const RealDate = Date;
let offset = 0;
globalThis.Date = class extends RealDate {
  constructor(...args) { args.length === 0 ? super(RealDate.now() + offset) : super(...args); }
  static now() { return RealDate.now() + offset; }
};
const realSetTimeout = globalThis.setTimeout;
let longest = Infinity;
globalThis.setTimeout = (run, ms = 0, ...rest) => realSetTimeout(run, Math.min(ms, longest), ...rest);
const worker = (await import("./worker.js")).default;
export default {
  async fetch(request, env, execution) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/__clock") {
      offset = Number(searchParams.get("offset"));
      if (searchParams.has("longest")) longest = Number(searchParams.get("longest"));
    } else if (pathname === "/__queue") await worker.queue({ messages: [{ body: await request.json() }] }, env, execution);
    else if (pathname === "/__sweep") await worker.scheduled({}, env, execution);
    else return worker.fetch(request, env, execution);
    return new Response(null, { status: 204 });
  },
};
`;

function lanesIn(message: string): readonly string[] {
  const body: unknown = JSON.parse(message);
  return typeof body === "object" && body !== null && "lanes" in body && Array.isArray(body.lanes) ? body.lanes : [];
}

async function listen(
  listener: RequestListener,
): Promise<{ readonly host: string; readonly stop: () => Promise<void> }> {
  const server: Server = createServer({ keepAliveTimeout: 60_000 }, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    // A TCP server has an AddressInfo once it listens.
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
