import { readFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import type { Options } from "./options.ts";
import { responder } from "./responder.ts";
import { type Stage, startStage } from "./stage.ts";
import { median } from "./statistics.ts";
import { type Entry, expectOk, newTenant, type Tenant } from "./tenant.ts";
import type { Workerd } from "./workerd.ts";

/**
 * Many erasures across twenty subprocessors, one of which hangs and one of which is at its daily quota the whole time: what
 * the other eighteen lanes do then, beside what they do for a tenant all of whose vendors are well, in turns in the same run. There
 * the two answer at once that they accept, so that no request closes in either case and the same work is compared.
 */
export async function isolation({ requests, wave, floorEvery }: Options["isolation"]) {
  const stage = await startStage();
  const vendors = new Vendors();
  stage.vendors = vendors.listener;
  const gateway = await stage.startGateway("driven");
  const queue = new Queue(stage, gateway);
  try {
    const well = await tenantOf(stage, gateway, "1", "well", {});
    const sick = await tenantOf(stage, gateway, "2", "sick", { per_day: PER_DAY, resets: "UTC" });
    vendors.hangs = true;
    let asked = 0;
    const worked = async (whose: Held, count: number) => {
      const before = { ...stage.redis.stats(), calls: vendors.calls };
      const begun = performance.now();
      await ask(whose.tenant, asked, count);
      asked += count;
      await queue.until(async () => (await left(stage, whose.n)) === 0);
      const seconds = (performance.now() - begun) / 1000;
      const { roundTrips } = stage.redis.stats();
      const tasks = count * GOOD.length;
      return {
        perSecond: tasks / seconds,
        roundTrips: (roundTrips - before.roundTrips) / tasks,
        calls: (vendors.calls - before.calls) / tasks,
      };
    };
    // Scripts, snapshots and connections are warm from here on.
    for (const whose of [well, sick]) await worked(whose, Math.min(wave, 20));

    const floors: Awaited<ReturnType<typeof worked>>[] = [];
    const waves: typeof floors = [];
    const resident: number[] = [];
    for (let done = 0; done < requests; done += wave) {
      if (waves.length % floorEvery === 0) floors.push(await worked(well, wave));
      waves.push(await worked(sick, Math.min(wave, requests - done)));
      const bytes = residentBytes(gateway.pid);
      if (bytes !== undefined) resident.push(bytes);
    }
    const most = Math.max(0, ...vendors.days.values());
    vendors.hangs = false;
    await expectOk(sick.tenant.api("PUT", `/v1/subprocessors/${QUOTA}`, sick.tenant.key, own(QUOTA)));
    await queue.until(async () => Number(await stage.redis.raw(["ZCARD", `q:${sick.n}`])) === 0);
    const of = (name: "perSecond" | "roundTrips" | "calls", all: typeof floors) =>
      median(all.map((each) => each[name]));
    const third = Math.max(1, Math.floor(resident.length / 3));
    return {
      "isolation.requests": requests,
      "isolation.ratio_to_floor": of("perSecond", waves) / of("perSecond", floors),
      "isolation.tasks_per_second": of("perSecond", waves),
      "isolation.floor_tasks_per_second": of("perSecond", floors),
      "isolation.vendor_calls_per_task": of("calls", waves),
      "isolation.round_trips_per_task": of("roundTrips", waves),
      "isolation.floor_round_trips_per_task": of("roundTrips", floors),
      "isolation.worker_resident_mb": resident.length === 0 ? null : median(resident.slice(-third)) / 1e6,
      "isolation.worker_resident_growth":
        resident.length === 0 ? null : median(resident.slice(-third)) / median(resident.slice(0, third)),
      "isolation.hung_calls_per_request": vendors.hung / requests,
      "isolation.calls_over_quota": Math.max(0, most - PER_DAY),
      "isolation.left_open": Number(await stage.redis.raw(["ZCARD", `q:${sick.n}`])),
    };
  } finally {
    vendors.hangs = false;
    await queue.stop();
    await gateway.stop();
    await stage.stop();
  }
}

const HUNG = "own-hung";
const QUOTA = "own-quota";
const PER_DAY = 20;

/** The eighteen others: Facebook, own systems and OpenAI accounts in turn. */
const GOOD: readonly string[] = [
  "facebook",
  ...Array.from({ length: 17 }, (_, at) => (at % 2 === 0 ? `own-${at}` : `openai-${at}`)),
];

type Quota = { readonly per_day?: number; readonly resets?: string };
const own = (id: string, quota: Quota = {}, tenant = "sick"): Entry & { readonly quota?: Quota } => ({
  integration: "first-party",
  settings: { url: `https://${id}.${tenant}.example.com/privacy`, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
  ...(quota.per_day !== undefined && { quota }),
});

function entryOf(id: string, tenant: string): Entry {
  if (id === "facebook")
    return {
      integration: "facebook",
      settings: { appId: "100000000000000", appSecret: "0123456789abcdef0123456789abcdef" },
    };
  if (id.startsWith("own-")) return own(id, {}, tenant);
  return { integration: "openai", settings: { apiKey: `sk-dev_bench_${tenant}_${id}` }, registers_objects: true };
}

/** The tenants of a store are numbered in the order in which they come. */
type Held = { readonly n: string; readonly tenant: Tenant };

async function tenantOf(stage: Stage, gateway: Workerd, n: string, slug: string, quota: Quota): Promise<Held> {
  const registry = {
    ...Object.fromEntries(GOOD.map((id) => [id, entryOf(id, slug)])),
    [HUNG]: own(HUNG, {}, slug),
    [QUOTA]: own(QUOTA, quota, slug),
  };
  return { n, tenant: await newTenant(stage, gateway, `bench-${slug}`, registry) };
}

/** What the eighteen lanes and the starts still have to do. What is sealed for later, such as a deadline's watch, is not counted. */
async function left(stage: Stage, n: string): Promise<number> {
  const counts = await Promise.all([
    ...GOOD.map((id) => stage.redis.raw(["ZCARD", `l:${n}:${id}`])),
    stage.redis.raw(["ZCOUNT", `l:${n}:gateway`, "-inf", "(0"]),
  ]);
  return counts.reduce((sum: number, count) => sum + Number(count), 0);
}

const AT_ONCE = 16;

/** Each person is named by the ids that the vendors go by, so that nothing has to be registered before. */
async function ask({ api, key }: Tenant, first: number, count: number): Promise<void> {
  const people = Array.from({ length: count }, (_, at) => first + at).values();
  const worker = async () => {
    for (const person of people)
      await expectOk(
        api("POST", "/v1/requests", key, {
          type: "erasure",
          identities: [
            { type: "user_id", value: `person-${person}` },
            { type: "facebook.user_id", value: String(4_000_000_000_000 + person) },
            { type: "openai.response", value: `resp_${person}` },
          ],
        }),
      );
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** The vendors' side. One never answers, and the calls of one are counted by the day of the gateway's clock. */
class Vendors {
  hangs = false;
  hung = 0;
  calls = 0;
  readonly days = new Map<string, number>();

  readonly listener: RequestListener = (request, response) => {
    const { host = "" } = request.headers;
    if (host.startsWith(`${HUNG}.sick`) && this.hangs) {
      this.hung += 1;
      return;
    }
    if (host.startsWith(`${QUOTA}.sick`) && this.hangs) {
      const day = new Date(Number(request.headers["webhook-timestamp"]) * 1000).toISOString().slice(0, 10);
      this.days.set(day, (this.days.get(day) ?? 0) + 1);
    } else if (!host.startsWith(HUNG) && !host.startsWith(QUOTA)) this.calls += 1;
    else if (this.hangs) {
      response.writeHead(202, { "content-type": "application/json" }).end('{"status":"accepted"}');
      return;
    }
    void responder(request, response);
  };
}

/** A later look is due seconds after its erasure; the clock is moved instead of waiting. */
const STEP_MS = 6_000;

/** What a broken lane could do to this is no more than to make it long: then it is a failure. */
const LONGEST_MS = 30 * 60_000;

/**
 * The platform's queue and cron: each message is an invocation of its own, so that one which waits for a vendor holds up no
 * other. When nothing is at work but what waits, the clock moves on.
 */
class Queue {
  #offset = 0;
  readonly #running = new Set<Promise<unknown>>();
  readonly #stage: Stage;
  readonly #gateway: Workerd;

  constructor(stage: Stage, gateway: Workerd) {
    this.#stage = stage;
    this.#gateway = gateway;
  }

  /** Works until it is so. */
  async until(isDone: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + LONGEST_MS;
    let idleSince = performance.now();
    while (performance.now() < end) {
      const { lanes } = this.#stage.queue;
      if (lanes.size > 0) {
        const woken = [...lanes];
        lanes.clear();
        this.#begin("/__queue", { lanes: woken });
        idleSince = performance.now();
      }
      const before = this.#stage.redis.stats().roundTrips;
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (this.#stage.redis.stats().roundTrips !== before) idleSince = performance.now();
      if (performance.now() - idleSince < QUIET_MS) continue;
      if (await isDone()) return;
      this.#offset += STEP_MS;
      await this.#call(`/__clock?offset=${this.#offset}`);
      await this.#call("/__sweep");
      idleSince = performance.now();
    }
    throw new Error("the lanes did not come to their end");
  }

  async stop(): Promise<void> {
    await Promise.race([Promise.all(this.#running), new Promise((resolve) => setTimeout(resolve, 15_000))]);
  }

  #begin(path: string, body: unknown): void {
    const work: Promise<unknown> = this.#call(path, body)
      // The Worker is stopped while a call of the hanging vendor's lane may still wait.
      .catch((error: unknown) => error)
      .finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  async #call(path: string, body?: unknown): Promise<void> {
    const reply = await fetch(`${this.#gateway.url}${path}`, {
      method: "POST",
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (reply.status !== 204) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  }
}

/** So long without a word to the store: nothing is at work but calls that wait. */
const QUIET_MS = 30;

/** What the process has in memory; undefined where the system does not tell. */
function residentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
