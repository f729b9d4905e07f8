import { readFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createSandbox, type Sandbox, vendorListener } from "../dev/sandbox/sandbox.ts";
import { Cron } from "./cron.ts";
import { BULK, bulkVendorAt, HUNG, identitiesOf, own, QUOTA, type Quota, registryOf, seedsOf, WELL } from "./mix.ts";
import type { Options } from "./options.ts";
import { responder } from "./responder.ts";
import { type Stage, startStage } from "./stage.ts";
import { median } from "./statistics.ts";
import { expectOk, newTenant, type Tenant } from "./tenant.ts";
import type { Workerd } from "./workerd.ts";

/**
 * Many erasures across twenty subprocessors, one of which hangs and one of which is at its daily quota the whole time: what
 * the other eighteen lanes do then, beside what they do for a tenant all of whose vendors are well, in turns in the same run. There
 * the two answer at once that they accept, so that no request closes in either case and the same work is compared.
 *
 * Vendors that take many people in one call are the sandbox's: their jobs take minutes or days, and are asked about until they
 * have ended. A wave is over when nothing is due within the next minutes; once all waves are, the clock goes on through
 * the days until the last job of the eighteen has ended, and only then is all counted.
 */
export async function isolation({ requests, wave, floorEvery }: Options["isolation"]) {
  const stage = await startStage();
  const gateway = await stage.startGateway("driven");
  const sandbox = createSandbox();
  const vendors = new Vendors(sandbox);
  stage.vendors = vendors.listener;
  const cron = new Cron(stage, gateway, nextWednesday(), () => vendors.words);
  sandbox.setNow(() => cron.now());
  try {
    await cron.start();
    const well: Held = { n: "1", tenant: await tenantOf(stage, gateway, SLUGS.well) };
    const sick: Held = {
      n: "2",
      tenant: await tenantOf(stage, gateway, SLUGS.sick, { per_day: PER_DAY, resets: "UTC" }),
    };
    vendors.hangs = true;
    let asked = 0;
    const worked = async (whose: Held, count: number) => {
      const people = Array.from({ length: count }, (_, at) => asked + at);
      await seed(sandbox, whose.tenant.slug, people);
      const before = { roundTrips: stage.redis.stats().roundTrips, calls: vendors.calls() };
      const begun = performance.now();
      await ask(whose.tenant, people);
      asked += count;
      const isHandedOver = async () => (await left(stage, whose.n, cron.now() + SOON_MS)) === 0;
      await cron.until(isHandedOver, () => nextDue(stage, whose.n));
      const seconds = (performance.now() - begun) / 1000;
      const roundTrips = stage.redis.stats().roundTrips - before.roundTrips;
      return { tasks: count * WELL.length, seconds, roundTrips, calls: since(vendors.calls(), before.calls) };
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
    // What is left of the floor is no part of what is measured from here on.
    await forget(stage, well.n);
    const before = { roundTrips: stage.redis.stats().roundTrips, calls: vendors.calls() };
    const handedOver = cron.now();
    const isEnded = async () => (await left(stage, sick.n, Number.POSITIVE_INFINITY)) === 0;
    await cron.until(isEnded, () => nextDue(stage, sick.n));
    const days = {
      roundTrips: stage.redis.stats().roundTrips - before.roundTrips,
      calls: since(vendors.calls(), before.calls),
      days: (cron.now() - handedOver) / DAY_MS,
    };
    const most = Math.max(0, ...vendors.days.values());

    vendors.hangs = false;
    await expectOk(sick.tenant.api("PUT", `/v1/subprocessors/${QUOTA}`, sick.tenant.key, own(QUOTA, SLUGS.sick)));
    await cron.until(
      async () => Number(await stage.redis.raw(["ZCARD", `q:${sick.n}`])) === 0,
      async () => undefined,
    );

    const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0);
    const perSecond = (all: typeof floors) => median(all.map(({ tasks, seconds }) => tasks / seconds));
    const tripsOf = (all: typeof floors) => median(all.map(({ tasks, roundTrips }) => roundTrips / tasks));
    const callsOf = (kinds: readonly string[], lanes: number) =>
      sum([...waves, days].flatMap(({ calls }) => kinds.map((kind) => calls.get(kind) ?? 0))) / (requests * lanes);
    const third = Math.max(1, Math.floor(resident.length / 3));
    return {
      "isolation.requests": requests,
      "isolation.ratio_to_floor": perSecond(waves) / perSecond(floors),
      "isolation.tasks_per_second": perSecond(waves),
      "isolation.floor_tasks_per_second": perSecond(floors),
      "isolation.days_until_all_ended": days.days,
      "isolation.round_trips_per_task":
        (sum(waves.map(({ roundTrips }) => roundTrips)) + days.roundTrips) / (requests * WELL.length),
      "isolation.round_trips_per_task_in_waves": tripsOf(waves),
      "isolation.floor_round_trips_per_task_in_waves": tripsOf(floors),
      "isolation.vendor_calls_per_task": callsOf([...BULK, OTHERS], WELL.length),
      "isolation.vendor_calls_per_task_bulk": callsOf(BULK, BULK.length),
      "isolation.vendor_calls_per_task_others": callsOf([OTHERS], WELL.length - BULK.length),
      ...Object.fromEntries(BULK.map((id) => [`isolation.vendor_calls_per_task.${id}`, callsOf([id], 1)])),
      "isolation.worker_resident_mb": resident.length === 0 ? null : median(resident.slice(-third)) / 1e6,
      "isolation.worker_resident_growth":
        resident.length === 0 ? null : median(resident.slice(-third)) / median(resident.slice(0, third)),
      "isolation.hung_calls_per_request": vendors.hung / requests,
      "isolation.calls_over_quota": Math.max(0, most - PER_DAY),
      "isolation.left_open": Number(await stage.redis.raw(["ZCARD", `q:${sick.n}`])),
    };
  } finally {
    vendors.hangs = false;
    await cron.stop();
    await gateway.stop();
    await stage.stop();
  }
}

const SLUGS = { well: "bench-well", sick: "bench-sick" };
const PER_DAY = 20;

const DAY_MS = 86_400_000;

/** Later looks and jobs of minutes belong to the wave that began them; what is due later than this is a matter of hours or days. */
const SOON_MS = 20 * 60_000;

/** Some vendors delete at weekends: in the middle of a week, whatever the day on which this runs. */
function nextWednesday(): number {
  const midnight = Math.ceil(Date.now() / DAY_MS) * DAY_MS;
  return midnight + ((10 - new Date(midnight).getUTCDay()) % 7) * DAY_MS + 8 * 3_600_000;
}

/** The tenants of a store are numbered in the order in which they come. */
type Held = { readonly n: string; readonly tenant: Tenant };

const tenantOf = (stage: Stage, gateway: Workerd, slug: string, quota?: Quota): Promise<Tenant> =>
  newTenant(stage, gateway, slug, registryOf(slug, quota));

/** What the eighteen lanes have to do until then, and the starts. What is sealed for later, such as a deadline's watch, is not counted. */
async function left(stage: Stage, n: string, until: number): Promise<number> {
  const to = Number.isFinite(until) ? String(until) : "+inf";
  const counts = await Promise.all([
    ...WELL.map((id) => stage.redis.raw(["ZCOUNT", `l:${n}:${id}`, "-inf", to])),
    stage.redis.raw(["ZCOUNT", `l:${n}:gateway`, "-inf", "(0"]),
  ]);
  return counts.reduce((sum: number, count) => sum + Number(count), 0);
}

/** When the first of the eighteen has something to do again; what is ready has a score below zero. */
async function nextDue(stage: Stage, n: string): Promise<number | undefined> {
  const firsts = await Promise.all(
    WELL.map((id) => stage.redis.raw(["ZRANGE", `l:${n}:${id}`, "0", "0", "WITHSCORES"])),
  );
  const scores = firsts.flatMap((first) => (Array.isArray(first) && first.length > 1 ? [Number(first[1])] : []));
  return scores.length === 0 ? undefined : Math.min(...scores);
}

/** Takes a tenant's lanes and its open requests out of the store. */
async function forget(stage: Stage, n: string): Promise<void> {
  for (const id of [...WELL, HUNG, QUOTA, "gateway"]) await stage.redis.raw(["DEL", `l:${n}:${id}`, `o:${n}:${id}`]);
  await stage.redis.raw(["DEL", `q:${n}`]);
}

async function seed(sandbox: Sandbox, slug: string, people: readonly number[]): Promise<void> {
  for (const each of seedsOf(slug, people)) {
    const told = await sandbox.admin(
      new Request("http://sandbox/seed", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(each),
      }),
    );
    if (!told.ok) throw new Error(`${each.vendor}: ${told.status} ${await told.text()}`);
  }
}

const AT_ONCE = 16;

async function ask({ api, key }: Tenant, people: readonly number[]): Promise<void> {
  const waiting = people.values();
  const worker = async () => {
    for (const person of waiting)
      await expectOk(api("POST", "/v1/requests", key, { type: "erasure", identities: identitiesOf(person) }));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Calls by vendor where it takes many people in one, and of all others together. */
type Calls = ReadonlyMap<string, number>;
const OTHERS = "others";

const since = (now: Calls, before: Calls): Calls =>
  new Map([...now].map(([id, count]) => [id, count - (before.get(id) ?? 0)]));

/**
 * The vendors' side. One never answers, and the calls of one are counted by the day of the gateway's clock.
 */
class Vendors {
  hangs = false;
  hung = 0;
  /** Calls that began or were answered, but for those that hang. */
  words = 0;
  readonly days = new Map<string, number>();
  readonly #calls = new Map<string, number>();
  readonly #sandbox: RequestListener;

  constructor(sandbox: Sandbox) {
    this.#sandbox = vendorListener(sandbox);
  }

  calls = (): Calls => new Map(this.#calls);

  readonly listener: RequestListener = (request, response) => {
    const { host = "" } = request.headers;
    if (host.startsWith(`${HUNG}.${SLUGS.sick}`) && this.hangs) {
      this.hung += 1;
      return;
    }
    this.words += 1;
    response.once("close", () => {
      this.words += 1;
    });
    const bulk = bulkVendorAt(host, Object.values(SLUGS));
    if (bulk !== undefined) {
      this.#count(bulk);
      this.#sandbox(request, response);
      return;
    }
    if (host.startsWith(`${QUOTA}.${SLUGS.sick}`) && this.hangs) {
      const day = new Date(Number(request.headers["webhook-timestamp"]) * 1000).toISOString().slice(0, 10);
      this.days.set(day, (this.days.get(day) ?? 0) + 1);
    } else if (!host.startsWith(HUNG) && !host.startsWith(QUOTA)) this.#count(OTHERS);
    else if (this.hangs) {
      response.writeHead(202, { "content-type": "application/json" }).end('{"status":"accepted"}');
      return;
    }
    void responder(request, response);
  };

  #count(id: string): void {
    this.#calls.set(id, (this.#calls.get(id) ?? 0) + 1);
  }
}

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
