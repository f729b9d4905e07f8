import { customers } from "../dev/customers.ts";
import type { Endpoint } from "../dev/redis/endpoint.ts";
import { createSandbox, vendorListener } from "../dev/sandbox/sandbox.ts";
import { seedPerson, seedSandbox } from "../dev/seed.ts";
import type { Options } from "./options.ts";
import { signedRequest } from "./signed-request.ts";
import { startStage } from "./stage.ts";
import { expectOk, newTenant } from "./tenant.ts";
import { Driver } from "./work.ts";

/** What a closed request may take in the store: 0.6 KB, and 0.35 KB for each task. */
export const closedLimitBytes = (tasks: number): number => 600 + 350 * tasks;

const SLUG = "cloutmetrics";

/** Four of its holders, a task each. */
const HOLDERS = ["facebook", "stripe", "openai", "product"] as const;

/**
 * The store's bytes per request of the reference customer CloutMetrics, with four of its holders and the evidence that the
 * vendors' stand-ins give. Bytes are the sum of MEMORY USAGE over all keys, so that the request's share of every list, index and
 * log is in it; less what was there before the requests came. The person's own record is there before an open request,
 * and goes with a closed one, so it is counted with neither.
 *
 * Lists are made to have the form that they have when they are long.
 */
export async function memory({ requests }: Options["memory"]) {
  const stage = await startStage();
  if (stage.kind !== "redis-server") {
    await stage.stop();
    return figures(null, null, () => null);
  }
  await stage.redis.raw(["CONFIG", "SET", "zset-max-listpack-entries", "0"]);
  const sandbox = createSandbox();
  const vendors = vendorListener(sandbox);
  stage.vendors = vendors;
  const gateway = await stage.startGateway("driven");
  try {
    const driver = new Driver(stage, gateway);
    sandbox.setNow(() => driver.now());
    const admin = async (path: string, body: unknown) => {
      const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      const reply = await sandbox.admin(new Request(`http://sandbox${path}`, init));
      if (!reply.ok) throw new Error(`the sandbox refused ${path}: ${await reply.text()}`);
    };
    await seedSandbox(admin);
    const { policy = {}, subprocessors = {} } = customers.find(({ slug }) => slug === SLUG) ?? {};
    const isHolder = ([id]: readonly [string, unknown]) => HOLDERS.some((holder) => holder === id);
    const registry = Object.entries(subprocessors).filter(isHolder);
    const others = Object.entries(subprocessors).filter((entry) => !isHolder(entry));
    const unknownTo = others.map(([, { integration }]) => integration);
    const { api, key } = await newTenant(stage, gateway, SLUG, Object.fromEntries(registry));
    await expectOk(api("PUT", "/v1/policy", key, { ...policy, ceiling_per_hour: 1_000_000 }));
    const secret = subprocessors.facebook?.settings.appSecret ?? "";

    /** From the first word about these people to the receipts; bytes of the whole store at three points. */
    const through = async (first: number, count: number) => {
      const before = await bytesIn(stage.redis);
      const people = Array.from({ length: count }, (_, at) => personOf(first + at));
      for (const person of people) await seedPerson(api, admin, SLUG, key, person, { unknownTo });
      const linked = await bytesIn(stage.redis);
      stage.queue.lanes.clear();
      for (const { facebookId } of people) {
        const body = new URLSearchParams({ signed_request: signedRequest(secret, facebookId, driver.now()) });
        const reply = await fetch(`${gateway.url}/hooks/${SLUG}/facebook/data-deletion`, { method: "POST", body });
        if (reply.status !== 200) throw new Error(`the callback was refused: ${reply.status}`);
      }
      // Every holder asks for a second's rest, so that all is planned and in its lane and nothing is done.
      stage.vendors = (_, response) => void response.writeHead(429, { "retry-after": "1" }).end();
      await driver.drain();
      const open = await bytesIn(stage.redis);
      stage.vendors = vendors;
      await driver.work(NUMBER);
      const closed = await bytesIn(stage.redis);
      return { before, linked, open, closed };
    };
    await through(0, 1); // What a tenant has once, such as its lanes, is there from here on.
    const { before, linked, open, closed } = await through(1, requests);
    const each = (bytes: Bytes, less: Bytes) => (sum(bytes) - sum(less)) / requests;
    return figures(
      each(open, linked),
      each(closed, before),
      (...prefixes) =>
        prefixes.reduce((all, prefix) => all + (closed.get(prefix) ?? 0) - (before.get(prefix) ?? 0), 0) / requests,
    );
  } finally {
    await gateway.stop();
    await stage.stop();
  }
}

/** The first of the reference customers, in a store of its own. */
const NUMBER = "1";

function figures(open: number | null, closed: number | null, part: (...prefixes: readonly string[]) => number | null) {
  return {
    "memory.open_request_bytes": open,
    // The request itself: its record with the receipt, its place in the list, its leaf in the log.
    "memory.closed_request_bytes": part("r", "z", "g"),
    "memory.closed_request_limit_bytes": closedLimitBytes(HOLDERS.length),
    // With what outlives the request for its own reasons: the person's suppression, and what is owed on a later day.
    "memory.closed_request_with_obligations_bytes": closed,
    "memory.closed_request_record_bytes": part("r"),
    "memory.closed_request_listing_bytes": part("z"),
    "memory.closed_request_log_bytes": part("g"),
    "memory.closed_request_suppression_bytes": part("p"),
    // That a person was erased here.
    "memory.closed_request_subject_bytes": part("u", "uo", "i"),
    // What is owed on a later day: the residue, and its place in the gateway's lane.
    "memory.closed_request_residue_bytes": part("x", "o", "l"),
  };
}

const personOf = (number: number) => ({
  id: `person-${number}`,
  email: `person-${number}@example.com`,
  name: `Person Number ${number}`,
  facebookId: String(3_000_000_000_000 + number),
});

/** Bytes by the first letters of the keys' names. */
type Bytes = ReadonlyMap<string, number>;

const sum = (bytes: Bytes): number => [...bytes.values()].reduce((all, each) => all + each, 0);

async function bytesIn(redis: Endpoint): Promise<Bytes> {
  const bytes = new Map<string, number>();
  const names = await redis.raw(["KEYS", "*"]);
  if (!Array.isArray(names)) throw new Error("the store gave no list of keys");
  for (const name of names.map(String)) {
    const prefix = name.slice(0, name.indexOf(":"));
    const [usage, lifetime] = await Promise.all([
      redis.raw(["MEMORY", "USAGE", name, "SAMPLES", "0"]),
      redis.raw(["PTTL", name]),
    ]);
    const size = Number(usage) + (Number(lifetime) >= 0 ? LIFETIME_BYTES : 0);
    bytes.set(prefix, (bytes.get(prefix) ?? 0) + size);
  }
  return bytes;
}

/** A lifetime is an entry of a table of its own, which MEMORY USAGE leaves out: 24 bytes, allocated as 24, and a bucket. */
const LIFETIME_BYTES = 32;
