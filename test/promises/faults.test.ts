import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  customerDeleted,
  metaCallback,
  type RequestShape,
  signedRequest,
  startWorld,
  stripeDelivery,
  type World,
} from "../support/world.ts";

const SLUG = "cloutmetrics";
const VENDORS = ["stripe", "meta", "openai", "mixpanel", "first-party"] as const;

/** What each holder may do to us before it does what it should. Each ends by itself after a few calls. */
const faults: Readonly<Record<string, object | readonly object[]>> = {
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

  const newest = async (source: string): Promise<string> => {
    const { body } = await world.api("GET", "/v1/requests", world.key(SLUG));
    return (
      (body as { requests: RequestShape[] & { source: string }[] }).requests.find(
        (request) => request.source === source,
      )?.id ?? ""
    );
  };

  const ways: Readonly<Record<string, (id: string, facebookId: string) => Promise<string>>> = {
    "the API": async (id) => {
      const { body } = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "erasure", subject: id });
      return (body as RequestShape).id;
    },
    "Meta's callback": async (_, facebookId) => {
      const signed = signedRequest(world.setting(SLUG, "facebook", "appSecret"), facebookId, world.gateway.now());
      expect((await metaCallback(world, SLUG, "data-deletion", signed)).status).toBe(200);
      return newest("facebook/data-deletion");
    },
    "Stripe's webhook": async (id) => {
      await world.api("POST", `/v1/subjects/${id}/objects`, world.key(SLUG), {
        objects: [{ subprocessor: "stripe", type: "stripe.customer", id: `cus_cloutmetrics${id}` }],
      });
      expect(
        (await stripeDelivery(world, SLUG, customerDeleted(`evt_${id}`, `cus_cloutmetrics${id}`, world.gateway.now())))
          .status,
      ).toBe(202);
      return newest("stripe/events");
    },
  };

  for (const [fault, body] of Object.entries(faults))
    for (const [way, go] of Object.entries(ways))
      it(`[I2 I3 I4] erases everywhere, in by ${way}, through ${fault}`, async () => {
        const person = await world.person(SLUG, `p${++people}`);
        for (const vendor of VENDORS) await world.admin(`/faults/${vendor}`, body, "PUT");
        const closed = await world.closed(SLUG, await go(person.id, person.facebookId));
        for (const vendor of VENDORS) await world.admin(`/faults/${vendor}`, undefined, "DELETE");
        expect(closed.complete).toBe(true);
        expect(
          closed.tasks.filter(({ outcome }) => !["erased", "revoked", "retained", "not_found"].includes(outcome ?? "")),
        ).toEqual([]);
        const left = await world.held(person.email);
        expect(left.filter((path) => !/^\/stripe\/(payment_intents|charges|invoices)\//.test(path))).toEqual([]);
        expect(left.length, "what law keeps is kept").toBeGreaterThan(0);
      });

  it("[I4] takes no answer that a vendor does not document for an erasure, and goes on when told to retry", async () => {
    const person = await world.person(SLUG, "odd");
    for (const vendor of VENDORS) await world.admin(`/faults/${vendor}`, { kind: "unforeseen", count: 1 }, "PUT");
    const { body } = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "erasure", subject: person.id });
    const { id } = body as RequestShape;
    const stuck = await world.until(
      SLUG,
      id,
      ({ tasks }) => tasks.length > 0 && tasks.every(({ state }) => state === "stuck"),
    );
    expect(stuck.complete).toBe(false);
    for (const task of stuck.tasks) expect(task.reason).toBeTruthy();
    await world.api("POST", `/v1/requests/${id}/retry`, world.key(SLUG));
    expect((await world.closed(SLUG, id)).complete).toBe(true);
  });

  it("[I4] takes a cut-off or foreign page for no answer at all", async () => {
    const person = await world.person(SLUG, "cut");
    for (const vendor of VENDORS)
      await world.admin(`/faults/${vendor}`, { kind: "malformed", body: "html", count: 1 }, "PUT");
    const { body } = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "erasure", subject: person.id });
    const { id } = body as RequestShape;
    const seen = await world.until(
      SLUG,
      id,
      ({ tasks }) => tasks.length > 0 && tasks.every(({ state }) => state === "stuck"),
    );
    expect(seen.tasks.map(({ outcome }) => outcome)).toEqual(seen.tasks.map(() => undefined));
    await world.api("POST", `/v1/requests/${id}/retry`, world.key(SLUG));
    expect((await world.closed(SLUG, id)).complete).toBe(true);
  });

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
    // OpenAI's is erased and will be looked at again, Mixpanel works on it; the other two have ended.
    const done = (task: RequestShape["tasks"][number]) =>
      task.state === "ended" || task.state === "accepted" || task.reason?.includes("look again") === true;
    await world.until(SLUG, id, ({ tasks }) => tasks.filter(done).length === 4);
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
    await world.until(SLUG, id, ({ tasks }) => tasks.filter(({ state }) => state === "ended").length === 3);
    await world.redis.raw(["DEL", "l:1:openai", "o:1:openai"]);
    await world.admin("/faults/openai", undefined, "DELETE");
    expect((await world.closed(SLUG, id)).complete).toBe(true);
    expect((await world.held(person.email)).filter((path) => path.startsWith("/openai"))).toEqual([]);
  });
});
