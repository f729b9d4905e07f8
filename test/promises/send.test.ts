import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventsOf } from "../../cli/events.ts";
import { signalsOf } from "../../cli/meaning.ts";
import * as senders from "../../cli/senders/index.ts";
import { customers } from "../../dev/customers.ts";
import * as integrations from "../../integrations/index.ts";
import { type Integration, isAbsent } from "../../src/contract/integration.ts";
import type { SignalType } from "../../src/contract/signal.ts";
import { dump } from "../support/dump.ts";
import { sendingTo } from "../support/send.ts";
import { startWorld, type World } from "../support/world.ts";

/** What may cause something at all; of other signals a note is kept. */
const CAUSES: ReadonlySet<SignalType> = new Set([
  "erasure_requested",
  "account_deleted",
  "deauthorized",
  "token_revoked",
]);

const entered = customers.map(({ slug, subprocessors }) => {
  const ids = new Set(Object.values(subprocessors).map(({ integration }) => integration));
  return { slug, integrations: Object.values<Integration>(integrations).filter(({ id }) => ids.has(id)) };
});
const events = entered
  .flatMap((customer) =>
    eventsOf({ integrations: customer.integrations, senders }).map((known) => ({ known, slug: customer.slug })),
  )
  .map(({ known, slug }, nth) => ({
    known,
    slug,
    id: known.integration.id,
    endpoint: known.endpoint,
    name: known.name,
    nth,
  }));

let world: World;
let sending: ReturnType<typeof sendingTo>;

beforeAll(async () => {
  world = await startWorld();
  sending = sendingTo(world);
});
afterAll(async () => {
  sending.stop();
  await world.stop();
});

/** Requests and notes. */
const recorded = async () => [...(await dump(world)).keys()].filter((key) => key.startsWith("r:")).length;

describe("what every vendor of the reference customers sends", () => {
  it("is known for each hook of each of them", () => {
    const all = entered.flatMap((customer) => customer.integrations);
    const hooks = all.flatMap(({ id, hooks }) =>
      isAbsent(hooks) ? [] : Object.keys(hooks).map((at) => `${id}/${at}`),
    );
    const sent = new Set(events.map(({ id, endpoint }) => `${id}/${endpoint}`));
    expect(hooks.filter((hook) => !sent.has(hook))).toEqual([]);
  });

  it.each(events)(
    "$id's $name at $slug's $endpoint is taken, and something comes of it",
    async ({ known, nth, ...event }) => {
      const before = await recorded();
      // A second of its own: what two deliveries tell of one person and moment is one event.
      const at = new Date(Date.now() - (events.length - nth) * 1000).toISOString();
      const { id, name, endpoint, slug } = event;
      const { code, deliveries } = await sending.send(id, name, "--tenant", slug, "--endpoint", endpoint, "--at", at);
      expect([code, Math.floor((deliveries[0]?.status ?? 0) / 100)]).toEqual([0, 2]);
      const signals = await signalsOf(known);
      if (signals.some((type) => CAUSES.has(type))) expect(await recorded()).toBeGreaterThan(before);
    },
  );

  it("[I3] is one request, however often the very same is sent", async () => {
    const args = ["facebook", "data_deletion", "--id", "1000000000777", "--at", new Date().toISOString()];
    const first = await sending.send(...args);
    const again = await sending.send(...args);
    expect([first.requests.length, again.requests.length]).toEqual([1, 0]);
    expect(again.deliveries[0]?.body).toBe(first.deliveries[0]?.body);
  });
});
