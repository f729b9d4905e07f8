import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { customers } from "../../dev/customers.ts";
import { holders } from "../../dev/holders.ts";
import { ends, expectOnlyRetained, newestFrom } from "../support/erased.ts";
import {
  customerDeleted,
  metaCallback,
  type Person,
  type RequestShape,
  signedRequest,
  startWorld,
  stripeDelivery,
  type World,
} from "../support/world.ts";

const SLUG = "cloutmetrics";
const ISOCIAL = "isocial-track";
/** Between them, these two have every vendor with an outbound side. */
const BOTH = [SLUG, ISOCIAL] as const;

/** What the sandbox calls the vendors of these customers, and how many holders each of them is. */
const holdersOf = (slugs: readonly string[]): ReadonlyMap<string, number> => {
  const found = new Map<string, number>();
  for (const { subprocessors } of customers.filter(({ slug }) => slugs.includes(slug)))
    for (const { integration, settings } of Object.values(subprocessors)) {
      const [seed] = holders[integration]?.person(settings, NOBODY, NOWHERE).seeds ?? [];
      if (seed !== undefined) found.set(seed.vendor, (found.get(seed.vendor) ?? 0) + 1);
    }
  return found;
};
const NOBODY = { id: "nobody", email: "nobody@example.com", name: "Nobody", facebookId: "1" };
const NOWHERE = { tag: "nobody", identities: [], payments: 0, age_days: 0 };

type Fault = { readonly kind: string; readonly count: number } & Readonly<Record<string, unknown>>;

/** What each holder may do to each person's request before it does what it should. Each ends by itself after a few calls. */
const faults: Readonly<Record<string, Fault | readonly Fault[]>> = {
  "429 with Retry-After": { kind: "rate_limited", retry_after_seconds: 7, count: 2 },
  "429 without Retry-After": { kind: "rate_limited", count: 2 },
  "503": { kind: "server_error", status: 503, count: 2 },
  "500, kept under its idempotency key": { kind: "server_error", status: 500, stored: true, count: 2 },
  "a connection that breaks before the effect": { kind: "drop_before", count: 2 },
  "a connection that breaks after the effect": { kind: "drop_after", count: 2 },
  "a slow answer": { kind: "slow", ms: 150, count: 3 },
  "all of it": [
    { kind: "server_error", status: 502, count: 1 },
    { kind: "drop_after", count: 1 },
    { kind: "rate_limited", count: 1 },
    { kind: "drop_before", count: 1 },
    { kind: "slow", ms: 100, count: 1 },
  ],
};

describe("with faults on at every vendor", () => {
  let world: World;
  let people = 0;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());

  const set = async (slugs: readonly string[], faultAt: (holders: number) => object | readonly object[]) => {
    for (const [vendor, count] of holdersOf(slugs)) await world.admin(`/faults/${vendor}`, faultAt(count), "PUT");
  };
  const clear = () => world.admin("/faults", undefined, "DELETE");
  const ask = async (slug: string, subject: string): Promise<string> => {
    const { body } = await world.api("POST", "/v1/requests", world.key(slug), { type: "erasure", subject });
    return (body as RequestShape).id;
  };

  /** Each way in, with its customer. */
  const ways: readonly { readonly slug: string; readonly go: (person: Person) => Promise<string> }[] = [
    { slug: ISOCIAL, go: ({ id }) => ask(ISOCIAL, id) },
    {
      slug: ISOCIAL,
      go: async ({ facebookId }) => {
        const secret = world.setting(ISOCIAL, "facebook", "appSecret");
        const signed = signedRequest(secret, facebookId, world.gateway.now());
        expect((await metaCallback(world, ISOCIAL, "data-deletion", signed)).status).toBe(200);
        return newestFrom(world, ISOCIAL, "facebook/data-deletion");
      },
    },
    {
      slug: SLUG,
      go: async ({ id }) => {
        const customer = `cus_cloutmetrics${id}`;
        await world.api("POST", `/v1/subjects/${id}/objects`, world.key(SLUG), {
          objects: [{ subprocessor: "stripe", type: "stripe.customer", id: customer }],
        });
        const event = customerDeleted(`evt_${id}`, customer, world.gateway.now());
        expect((await stripeDelivery(world, SLUG, event)).status).toBe(202);
        return newestFrom(world, SLUG, "stripe/events");
      },
    },
  ];

  for (const [fault, one] of Object.entries(faults))
    it(`[I2 I3 I4] erases everywhere, in by the API, by Meta's callback and by Stripe's webhook, through ${fault} at every vendor`, async () => {
      const inside = await Promise.all(
        ways.map(async ({ slug, go }) => ({ slug, go, person: await world.person(slug, `p${++people}`) })),
      );
      // As many in all as the three would meet one by one.
      await set(BOTH, () => [one].flat().map((each) => ({ ...each, count: each.count * ways.length })));
      const requests: string[] = [];
      for (const { go, person } of inside) requests.push(await go(person));
      for (const [at, { slug }] of inside.entries()) {
        const closed = await world.closed(slug, requests[at] ?? "");
        expect(closed.complete).toBe(true);
        const [ended, expected] = [closed.tasks, ends[slug]?.tasks ?? {}];
        expect(ended.map(({ id }) => id).toSorted()).toEqual(Object.keys(expected).toSorted());
        expect(
          ended.filter(({ outcome }) => !["erased", "revoked", "retained", "not_found"].includes(outcome ?? "")),
        ).toEqual([]);
      }
      const left = (await world.admin("/faults")) as Readonly<Record<string, readonly Fault[]>>;
      await clear();
      // Nobody is done before a vendor's faults are over; a slow answer is one all the same.
      expect(Object.keys(left).toSorted()).toEqual([...holdersOf(BOTH).keys()].toSorted());
      expect(Object.values(left).flatMap((each) => each.filter(({ kind }) => kind !== "slow"))).toEqual([]);
      for (const { slug, person } of inside) await expectOnlyRetained(world, slug, person.email);
    });

  /** Everybody's every task gets stuck at a vendor's odd answer; told to try again, all go on. */
  const stuckAndMended = async (prefix: string, fault: object): Promise<void> => {
    const people = await Promise.all(
      BOTH.map(async (slug) => ({ slug, person: await world.person(slug, `${prefix}-${slug}`) })),
    );
    await set(BOTH, () => fault);
    const asked = await Promise.all(
      people.map(async (each) => ({ ...each, id: await ask(each.slug, each.person.id) })),
    );
    for (const { slug, id } of asked) {
      const stuck = await world.until(
        slug,
        id,
        ({ tasks }) => tasks.length > 0 && tasks.every(({ state }) => state === "stuck"),
      );
      expect(stuck.complete).toBe(false);
      expect(stuck.tasks.map((task) => task.id).toSorted()).toEqual(Object.keys(ends[slug]?.tasks ?? {}).toSorted());
      for (const task of stuck.tasks) {
        expect(task.reason).toBeTruthy();
        expect(task.outcome).toBeUndefined();
      }
    }
    await clear();
    for (const { slug, id, person } of asked) {
      await world.api("POST", `/v1/requests/${id}/retry`, world.key(slug));
      expect((await world.closed(slug, id)).complete).toBe(true);
      await expectOnlyRetained(world, slug, person.email);
    }
  };

  it("[I4] takes no answer that a vendor does not document for an erasure, and goes on when told to retry", () =>
    stuckAndMended("odd", { kind: "unforeseen" }));

  it("[I4] takes a cut-off or foreign page for no answer at all", () =>
    stuckAndMended("cut", { kind: "malformed", body: "html" }));

  it("stops a lane whose credential is refused, says what to do, and goes on when it has been mended", async () => {
    const person = await world.person(SLUG, "key");
    await world.admin("/faults/openai", { kind: "unauthorized" }, "PUT");
    const { body } = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "erasure", subject: person.id });
    const { id } = body as RequestShape;
    const stuck = await world.until(SLUG, id, ({ tasks }) =>
      tasks.some(({ id: task, state }) => task === "openai.erase" && state === "stuck"),
    );
    expect(stuck.tasks.find(({ id: task }) => task === "openai.erase")?.reason).toContain("PUT /v1/subprocessors");
    const calls = () => world.sandbox.recorded().filter(({ vendor }) => vendor === "openai").length;
    const before = calls();
    for (let minute = 0; minute < 10; minute++) {
      await world.advance(60_000);
      await world.gateway.sweep();
    }
    expect(calls(), "it rests").toBe(before);
    await world.admin("/faults/openai", undefined, "DELETE");
    await world.api("PUT", "/v1/subprocessors/openai", world.key(SLUG), world.tenants[SLUG]?.subprocessors.openai);
    expect((await world.closed(SLUG, id)).complete).toBe(true);
  });

  it("[I10] lets a hanging vendor hold up nobody else, and gives its lane a rest", async () => {
    const person = await world.person(SLUG, "slow");
    await world.admin("/faults/meta", { kind: "timeout", ms: 30_000, count: 1 }, "PUT");
    const started = Date.now();
    const { body } = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "erasure", subject: person.id });
    const { id } = body as RequestShape;
    // OpenAI's and Google's are erased and will be looked at again, Mixpanel works on it; the other two have ended.
    const done = (task: RequestShape["tasks"][number]) =>
      task.state === "ended" || task.state === "accepted" || task.reason?.includes("look again") === true;
    await world.until(SLUG, id, ({ tasks }) => tasks.filter(done).length === 5);
    expect(Date.now() - started, "the others did not wait for it").toBeLessThan(9_000);
    expect(await world.held(person.email)).toEqual(
      (await world.held(person.email)).filter((path) => /^\/(stripe|mixpanel)\//.test(path)),
    );
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 10_500 - (Date.now() - started))));
    expect((await world.closed(SLUG, id)).complete).toBe(true);
  });

  it("[I2] asks a second time for nothing that was lost: queue messages may vanish", async () => {
    const person = await world.person(SLUG, "lost");
    // The lane is marked awake although nobody works it, as after a lost message.
    await world.redis.raw(["HSET", "o:1:gateway", "~a", String(world.gateway.now() + 60_000)]);
    const { body } = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "erasure", subject: person.id });
    const closed = await world.closed(SLUG, (body as RequestShape).id);
    expect(closed.complete).toBe(true);
  });

  it("[I2] puts back orders that the store has lost", async () => {
    const person = await world.person(SLUG, "gone");
    await world.admin("/faults/openai", { kind: "server_error", status: 503 }, "PUT");
    const { body } = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "erasure", subject: person.id });
    const { id } = body as RequestShape;
    await world.until(SLUG, id, ({ tasks }) => tasks.filter(({ state }) => state === "ended").length >= 3);
    await world.redis.raw(["DEL", "l:1:openai", "o:1:openai"]);
    await world.admin("/faults/openai", undefined, "DELETE");
    expect((await world.closed(SLUG, id)).complete).toBe(true);
    expect((await world.held(person.email)).filter((path) => path.startsWith("/openai"))).toEqual([]);
  });
});
