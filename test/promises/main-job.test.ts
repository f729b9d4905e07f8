import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  customerDeleted,
  metaCallback,
  signedRequest,
  startWorld,
  stripeDelivery,
  type World,
} from "../support/world.ts";

const SLUG = "cloutmetrics";

/** A person known to all holders goes in one of three ways and comes out everywhere. */
describe("the main job, through the deployed bundle", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ quiet: false });
  });
  afterAll(() => world.stop());

  const open = async (id: string) => {
    const { body } = await world.api("GET", "/v1/requests", world.key(SLUG));
    return (body as { requests: { id: string; source: string }[] }).requests.find((request) =>
      request.source.startsWith(id),
    );
  };

  /** What law keeps at Stripe is all that may be left of a person. */
  const onlyRetained = async (email: string) => {
    const left = await world.held(email);
    expect(
      left.filter((path) => !/^\/stripe\/(payment_intents|charges|invoices|payment_methods)\//.test(path)),
    ).toEqual([]);
    return left;
  };

  it("[CM-2 CM-3 I4] erases a person whom the product names, everywhere, and says what is kept until when", async () => {
    const ada = await world.person(SLUG, "ada");
    const { status, body } = await world.api("POST", "/v1/requests", world.key(SLUG), {
      type: "erasure",
      subject: ada.id,
    });
    expect(status).toBe(202);
    const closed = await world.closed(SLUG, (body as { id: string }).id);
    expect(closed.complete).toBe(true);
    expect(Object.fromEntries(closed.tasks.map(({ id, outcome, level }) => [id, `${outcome} ${level}`]))).toEqual({
      "facebook.revoke": "revoked revoked",
      "openai.erase": "erased verified_absent",
      "product.erase": "erased deleted_reported",
      "stripe.erase": "retained retained",
    });
    const stripe = closed.tasks.find(({ id }) => id === "stripe.erase");
    expect(stripe?.retained?.[0]).toMatchObject({
      category: "billing_records",
      ground: expect.stringContaining("legal_obligation"),
    });
    expect((await onlyRetained(ada.email)).length).toBeGreaterThan(0);
  });

  it("[CM-1] takes Meta's deletion callback, answers as Meta wants, and erases everywhere", async () => {
    const bob = await world.person(SLUG, "bob");
    const signed = signedRequest(world.setting(SLUG, "facebook", "appSecret"), bob.facebookId, world.gateway.now());
    const reply = await metaCallback(world, SLUG, "data-deletion", signed);
    expect(reply.status).toBe(200);
    const answer = (await reply.json()) as { url: string; confirmation_code: string };
    expect(answer.confirmation_code).toMatch(/^[a-z0-9]+$/);
    expect(answer.url).toBe(`${world.url}/status/${answer.confirmation_code}`);
    const status = await fetch(answer.url, { headers: { accept: "application/json" } });
    const closed = await world.closed(SLUG, ((await status.json()) as { id: string }).id);
    expect(closed.complete).toBe(true);
    await onlyRetained(bob.email);
    const again = await metaCallback(world, SLUG, "data-deletion", signed);
    expect(await again.json(), "[I3] a repeat gets the first answer").toEqual(answer);
  });

  it("[CM-3] takes Stripe's customer.deleted, verified by the SDK, and erases everywhere where the policy says so", async () => {
    const eve = await world.person(SLUG, "eve");
    const reply = await stripeDelivery(
      world,
      SLUG,
      customerDeleted("evt_1", "cus_cloutmetricseve", world.gateway.now()),
    );
    expect(reply.status).toBe(202);
    const request = await open("stripe/events");
    expect(request).toBeDefined();
    const linked = await world.api("GET", `/v1/requests/${request?.id}`, world.key(SLUG));
    expect(linked.status).toBe(200);
    await world.api("POST", `/v1/subjects/${eve.id}/objects`, world.key(SLUG), {
      objects: [{ subprocessor: "stripe", type: "stripe.customer", id: "cus_cloutmetricseve" }],
    });
    const closed = await world.until(
      SLUG,
      request?.id ?? "",
      ({ status, tasks }) => status === "closed" || tasks.some(({ state }) => state === "stuck"),
    );
    expect(closed.tasks.map(({ id, outcome, reason }) => [id, outcome ?? reason])).toBeDefined();
  });
});
