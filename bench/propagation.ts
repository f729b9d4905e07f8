import type { Options } from "./options.ts";
import { responder } from "./responder.ts";
import { signedRequest } from "./signed-request.ts";
import { type Stage, startStage } from "./stage.ts";
import { type Entry, expectOk, newTenant, type Tenant } from "./tenant.ts";
import { Driver } from "./work.ts";

/**
 * What a request costs from its arrival to its receipt, alone and with many in flight, with four and with twenty
 * subprocessors, each with a lane of its own: Facebook, and own systems and OpenAI accounts in turn. Stripe is left out,
 * because its stated limit of calls a second would be what is measured.
 */
export async function propagation({ requests }: Options["propagation"]) {
  const few = await measured(4, requests);
  const many = await measured(20, requests);
  return {
    "propagation.tasks_per_second": (few.load.tasks + many.load.tasks) / (few.load.seconds + many.load.seconds),
    "propagation.round_trips_per_task_at_load":
      (few.load.roundTrips + many.load.roundTrips) / (few.load.tasks + many.load.tasks),
    ...figures("roundTrips", "round_trips_per_request", few, many),
    ...figures("commands", "commands_per_request", few, many),
    ...figures("scriptCommands", "script_commands_per_request", few, many),
    "propagation.round_trips_per_sweep": many.load.perSweep,
  };
}

type Cost = {
  readonly requests: number;
  readonly tasks: number;
  readonly seconds: number;
  readonly roundTrips: number;
  readonly commands: number;
  readonly scriptCommands: number;
  readonly perSweep: number;
};
type Both = { readonly alone: Cost; readonly load: Cost };

function figures<N extends string>(of: "roundTrips" | "commands" | "scriptCommands", name: N, few: Both, many: Both) {
  const each = ({ requests, [of]: count }: Cost) => count / requests;
  const entries = [
    [`propagation.${name}_4_alone`, each(few.alone)],
    [`propagation.${name}_20_alone`, each(many.alone)],
    [`propagation.${name}_4_at_load`, each(few.load)],
    [`propagation.${name}_20_at_load`, each(many.load)],
  ] as const;
  return Object.fromEntries(entries);
}

async function measured(subprocessors: number, requests: number): Promise<Both> {
  const stage = await startStage();
  stage.vendors = responder;
  const gateway = await stage.startGateway("driven");
  try {
    const registry = registryOf(subprocessors);
    const tenant = await newTenant(stage, gateway, `bench-${subprocessors}`, registry);
    const driver = new Driver(stage, gateway);
    const run = (first: number, count: number) => cost(stage, driver, tenant, registry, first, count);
    await run(0, 1); // Scripts, snapshot and connections are warm from here on.
    return { alone: await run(1, 1), load: await run(2, requests) };
  } finally {
    await gateway.stop();
    await stage.stop();
  }
}

/** The tenant is the store's only one, and its number is the first. */
const NUMBER = "1";

async function cost(
  stage: Stage,
  driver: Driver,
  tenant: Tenant,
  registry: Readonly<Record<string, Entry>>,
  first: number,
  count: number,
): Promise<Cost> {
  const people = Array.from({ length: count }, (_, at) => first + at);
  await each(people, (person) => link(tenant, registry, person));
  stage.queue.lanes.clear();
  stage.redis.resetStats();
  await each(people, (person) => ask(tenant, person, driver.now()));
  const { seconds, sweeps, sweepRoundTrips, sweepCommands } = await driver.work(NUMBER);
  const { roundTrips, commands, scriptCommands } = stage.redis.stats();
  return {
    requests: count,
    tasks: count * Object.keys(registry).length,
    seconds,
    roundTrips: roundTrips - sweepRoundTrips,
    commands: commands - sweepCommands,
    scriptCommands,
    perSweep: sweepRoundTrips / Math.max(sweeps, 1),
  };
}

function registryOf(subprocessors: number): Readonly<Record<string, Entry>> {
  const others = Array.from({ length: subprocessors - 1 }, (_, at): [string, Entry] =>
    at % 2 === 0
      ? [
          `own-${at}`,
          {
            integration: "first-party",
            settings: {
              url: `https://own-${at}.example.com/privacy`,
              secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            },
          },
        ]
      : [
          `openai-${at}`,
          { integration: "openai", settings: { apiKey: `sk-dev_bench_${at}` }, registers_objects: true },
        ],
  );
  return Object.fromEntries([
    ["facebook", { integration: "facebook", settings: { appId: "100000000000000", appSecret: APP_SECRET } }],
    ...others,
  ]);
}

const APP_SECRET = "0123456789abcdef0123456789abcdef";
const facebookId = (person: number): string => String(2_000_000_000_000 + person);

/** Makes a person known to every holder, which is not counted. */
async function link({ api, key }: Tenant, registry: Readonly<Record<string, Entry>>, person: number): Promise<void> {
  const identities = [
    { type: "user_id", value: `person-${person}` },
    { type: "email", value: `person-${person}@example.com` },
    { type: "facebook.user_id", value: facebookId(person) },
  ];
  const objects = Object.entries(registry)
    .filter(([, { integration }]) => integration === "openai")
    .map(([subprocessor]) => ({ subprocessor, type: "openai.response", id: `resp_${subprocessor}_${person}` }));
  await expectOk(api("PUT", `/v1/subjects/person-${person}`, key, { identities }));
  await expectOk(api("POST", `/v1/subjects/person-${person}/objects`, key, { objects }));
}

/** Meta's data deletion callback, which every subprocessor is to hear of. */
async function ask({ slug, url }: Tenant, person: number, now: number): Promise<void> {
  const signed = signedRequest(APP_SECRET, facebookId(person), now);
  const reply = await fetch(`${url}/hooks/${slug}/facebook/data-deletion`, {
    method: "POST",
    body: new URLSearchParams({ signed_request: signed }),
  });
  if (reply.status !== 200) throw new Error(`the callback was refused: ${reply.status}`);
}

const AT_ONCE = 16;

async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
