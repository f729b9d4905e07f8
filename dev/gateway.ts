import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import type { Readable } from "node:stream";
import { Miniflare, Response as MiniflareResponse, WebSocketPair } from "miniflare";
import type { Endpoint } from "./redis/endpoint.ts";
import { type Sandbox, vendorListener } from "./sandbox/sandbox.ts";

/** What a deployment would have as bindings and secrets. */
export type Secrets = {
  readonly MASTER_KEY: string;
  readonly SIGNING_KEY: string;
  readonly ADMIN_KEY: string;
};

export type Gateway = {
  readonly url: string;
  /** The cron trigger, as the platform would fire it. */
  sweep(): Promise<void>;
  /** Moves the Worker's clock, and with it every lifetime in the store and the sandbox's time. Needs `movable`. */
  advance(ms: number): Promise<void>;
  /** How long the Worker waits at most where it would wait, such as between two calls to one vendor. Needs `movable`. */
  waitAtMost(ms: number): Promise<void>;
  /** The Worker's time. */
  now(): number;
  stop(): Promise<void>;
};

/**
 * An entry that shifts `Date`, cuts waits short and hands everything on to the unmodified bundle. The bundle never sees that
 * the clock was moved; a deployed Worker is the bundle alone.
 */
const SHIFTED = `
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
    const url = new URL(request.url);
    if (url.pathname !== "/__clock") return worker.fetch(request, env, execution);
    if (url.searchParams.has("offset")) offset = Number(url.searchParams.get("offset"));
    if (url.searchParams.has("longest")) longest = Number(url.searchParams.get("longest"));
    return new Response(null, { status: 204 });
  },
  queue: (batch, env, execution) => worker.queue(batch, env, execution),
  scheduled: (event, env, execution) => worker.scheduled(event, env, execution),
};
`;

/**
 * Miniflare hands WebSockets to a function only, and only a Node handler can show a connection that dies: so calls that
 * leave the bundle go by kind.
 */
const ROUTER = `
export default {
  fetch: (request, env) => (request.headers.get("upgrade") === "websocket" ? env.SOCKETS : env.CALLS).fetch(request),
};
`;

/**
 * Runs the deployed bundle in workerd, with its queue and cron. All that leaves it is routed here: the store's address to
 * the local endpoint, everything else to the sandbox; nothing leaves the machine.
 */
export async function startGateway(options: {
  readonly redis: Endpoint;
  readonly redisToken: string;
  readonly sandbox: Sandbox;
  readonly secrets: Secrets;
  readonly port?: number;
  readonly movable?: boolean;
  readonly quiet?: boolean;
  /** Replaces bindings, to see what the Worker says of malformed ones. */
  readonly bindings?: Readonly<Record<string, string>>;
}): Promise<Gateway> {
  const { redis, sandbox, movable = false } = options;
  const vendors = vendorListener(sandbox);
  const redisHost = new URL(redis.url).host;
  const outbound = (request: IncomingMessage, response: ServerResponse): void =>
    request.headers.host === redisHost ? redis.handle(request, response) : vendors(request, response);
  const bundle = readFileSync(new URL("../dist/worker.js", import.meta.url), "utf8");
  let offset = 0;
  const port = options.port ?? (await freePort());

  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port,
    workers: [
      {
        name: "quittance",
        modules: [
          ...(movable ? [{ type: "ESModule" as const, path: "entry.js", contents: SHIFTED }] : []),
          { type: "ESModule", path: "worker.js", contents: bundle },
        ],
        compatibilityDate: "2026-07-30",
        compatibilityFlags: ["nodejs_compat"],
        bindings: {
          UPSTASH_REDIS_REST_URL: redis.url,
          UPSTASH_REDIS_REST_TOKEN: options.redisToken,
          QUITTANCE_LOCAL: "true",
          PUBLIC_ORIGIN: `http://127.0.0.1:${port}`,
          ...options.secrets,
          ...options.bindings,
        },
        queueProducers: { LANES: "quittance-lanes" },
        queueConsumers: { "quittance-lanes": { maxBatchSize: 20, maxBatchTimeout: 0 } },
        outboundService: "outbound",
      },
      {
        name: "outbound",
        modules: true,
        script: ROUTER,
        compatibilityDate: "2026-07-30",
        serviceBindings: {
          CALLS: { node: outbound },
          SOCKETS: (request: { readonly url: string }) => {
            const { 0: theirs, 1: ours } = new WebSocketPair();
            ours.accept();
            const gone = sandbox.socket(request.url, {
              send: (text) => ours.send(text),
              close: (code) => ours.close(code),
            });
            if (gone === undefined) return new MiniflareResponse("not here", { status: 503 });
            ours.addEventListener("close", gone);
            return new MiniflareResponse(null, { status: 101, webSocket: theirs });
          },
        },
      },
    ],
    handleRuntimeStdio: (out: Readable, err: Readable) => {
      // The Worker logs one JSON line an event; workerd's own words go to the error stream.
      out.on("data", (chunk: Buffer) => (options.quiet === true ? undefined : process.stdout.write(chunk)));
      err.on("data", (chunk: Buffer) => (options.quiet === true ? undefined : process.stderr.write(chunk)));
    },
  });
  const url = (await miniflare.ready).origin;
  const worker = await miniflare.getWorker();

  return {
    url,
    sweep: async () => {
      await worker.scheduled({ cron: "* * * * *" });
    },
    advance: async (ms) => {
      offset += ms;
      await fetch(`${url}/__clock?offset=${offset}`, { method: "POST" });
      await redis.age(ms);
      sandbox.setNow(() => Date.now() + offset);
    },
    waitAtMost: async (ms) => {
      await fetch(`${url}/__clock?longest=${ms}`, { method: "POST" });
    },
    now: () => Date.now() + offset,
    stop: () => miniflare.dispose(),
  };
}

/** The Worker has to know its own address before it starts. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // It listens on TCP, so this is what it gives.
  server.close();
  await once(server, "close");
  return port;
}
