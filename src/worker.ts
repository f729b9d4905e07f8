import { z } from "zod";
import * as all from "../integrations/index.ts";
import { createApp } from "./app.ts";
import { type Config, type Env, readConfig } from "./config.ts";
import type { Integration } from "./contract/integration.ts";
import { drain } from "./lanes/drain.ts";
import { keepPolling } from "./lanes/poll.ts";
import { sweep } from "./lanes/sweep.ts";
import { keySets } from "./platform/key-sets.ts";
import { lines } from "./platform/lines.ts";
import { listener } from "./platform/listen.ts";
import { log } from "./platform/log.ts";
import { wakeBy } from "./platform/queue.ts";
import { redisClient } from "./platform/redis.ts";
import { sender } from "./platform/send.ts";
import { signingKeys } from "./platform/signing.ts";
import { createStore } from "./platform/store.ts";
import { createVault } from "./platform/vault.ts";
import type { Ports } from "./ports.ts";
import { tenants } from "./registry/load.ts";
import { audit } from "./request/audit.ts";
import { enrol } from "./streams/enrol.ts";
import { listen } from "./streams/listen.ts";

const Message = z.object({ lanes: z.array(z.string().max(80)).max(1000) });

const now = () => Date.now();
const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
const sleep = (ms: number) => (ms > 0 ? new Promise<void>((resolve) => setTimeout(resolve, ms)) : Promise.resolve());

/** What an isolate keeps: clients and caches, no state. */
function isolate(config: Config, local: boolean) {
  const store = createStore(redisClient(config.redisUrl, config.redisToken));
  const vault = createVault(config.masterKeys, random);
  const own = [new URL(config.redisUrl).hostname, new URL(config.origin).hostname];
  const shared = {
    now,
    random,
    store,
    vault,
    tenants: tenants(store, vault, now),
    log,
    sleep,
    origin: config.origin,
    integrations: new Map<string, Integration>(Object.values(all).map((integration) => [integration.id, integration])),
    signing: signingKeys(config.signingKeys),
    keySets: keySets(fetch, now, log, own),
  };
  /** Connections and messages belong to one invocation. */
  const portsOf = (env: Env, execution: ExecutionContext): Ports => ({
    ...shared,
    send: sender(fetch, now, own),
    listen: listener(fetch),
    lines: lines(fetch),
    wake: wakeBy(env.LANES, execution, log),
    later: (work) =>
      execution.waitUntil(
        work.catch((error: unknown) => log("later_failed", { error: error instanceof Error ? error.name : "unknown" })),
      ),
  });
  return { portsOf, mounting: { adminKey: config.adminKey, local } };
}

let known: ReturnType<typeof isolate> | undefined;

/** Reads the bindings once an isolate; what is wrong with them is named all at once, at every call until it is mended. */
function start(env: Env): ReturnType<typeof isolate> | readonly string[] {
  if (known !== undefined) return known;
  const config = readConfig(env);
  if (!config.ok) {
    log("misconfigured", { missing: config.problem.join("; ") });
    return config.problem;
  }
  known = isolate(config.value, env.QUITTANCE_LOCAL === "true");
  return known;
}

const isProblem = (started: ReturnType<typeof start>): started is readonly string[] => Array.isArray(started);

let app: ReturnType<typeof createApp> | undefined;

export default {
  fetch(request, env, execution) {
    const started = start(env);
    if (isProblem(started)) {
      const detail = `Missing or malformed: ${started.join("; ")}.`;
      const body = {
        type: "https://quittance.dev/problems/misconfigured",
        title: "Not configured",
        status: 503,
        detail,
      };
      return Response.json(body, { status: 503, headers: { "content-type": "application/problem+json" } });
    }
    app ??= createApp((context) => started.portsOf(env, context), started.mounting);
    return app.fetch(request, env, execution);
  },

  async queue(batch, env, execution) {
    const started = start(env);
    if (isProblem(started)) throw new Error("not configured");
    const lanes = new Set(
      batch.messages.flatMap(({ body }) => {
        const message = Message.safeParse(body);
        return message.success ? message.data.lanes : [];
      }),
    );
    // A message only says that lanes have work. It is done with when they have been looked at, whatever was found.
    await drain(started.portsOf(env, execution), [...lanes]);
  },

  async scheduled(_, env, execution) {
    const started = start(env);
    if (isProblem(started)) throw new Error("not configured");
    const ports = started.portsOf(env, execution);
    await sweep(ports);
    await audit(ports);
    await keepPolling(ports);
    await enrol(ports);
    // Last, because it goes on for most of the minute.
    await listen(ports);
  },
} satisfies ExportedHandler<Env>;
