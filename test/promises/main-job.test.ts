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

/** A person known to all holders goes in one of three ways and comes out everywhere. */
describe("the main job, through the deployed bundle", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());

  const outcomes = (request: RequestShape) =>
    Object.fromEntries(request.tasks.map(({ id, outcome, level }) => [id, `${outcome} ${level}`]));

  const EVERYWHERE = {
    "facebook.revoke": "revoked revoked",
    "mixpanel.erase": "erased deleted_reported",
    "openai.erase": "erased verified_absent",
    "product.erase": "erased deleted_reported",
    "stripe.erase": "retained retained",
  };

  /** What law keeps at Stripe is all that may be left of a person. */
  const expectOnlyRetained = async (email: string) => {
    const left = await world.held(email);
    expect(left.length).toBeGreaterThan(0);
    expect(
      left.filter((path) => !/^\/stripe\/(payment_intents|charges|invoices|payment_methods)\//.test(path)),
    ).toEqual([]);
  };

  const newest = async (source: string): Promise<string> => {
    const { body } = await world.api("GET", "/v1/requests", world.key(SLUG));
    const found = (body as { requests: { id: string; source: string }[] }).requests.find(
      (request) => request.source === source,
    );
    return found?.id ?? "";
  };

  it("[CM-2 CM-3 I4] erases a person whom the product names, everywhere, and says what is kept until when", async () => {
    const ada = await world.person(SLUG, "ada");
    const { status, body } = await world.api("POST", "/v1/requests", world.key(SLUG), {
      type: "erasure",
      subject: ada.id,
    });
    expect(status).toBe(202);
    const closed = await world.closed(SLUG, (body as RequestShape).id);
    expect(closed.complete).toBe(true);
    expect(outcomes(closed)).toEqual(EVERYWHERE);
    const stripe = closed.tasks.find(({ id }) => id === "stripe.erase");
    expect(stripe?.retained?.[0]).toMatchObject({
      category: "billing_records",
      ground: expect.stringContaining("legal_obligation"),
    });
    const openai = closed.tasks.find(({ id }) => id === "openai.erase");
    expect(openai?.retained?.[0], "[SO-4] what a holder keeps by itself is said").toMatchObject({
      category: "abuse_monitoring_logs",
    });
    await expectOnlyRetained(ada.email);
  });

  it("[CM-1 I3] takes Meta's deletion callback, answers as Meta wants, erases everywhere, and answers a repeat alike", async () => {
    const bob = await world.person(SLUG, "bob");
    const signed = signedRequest(world.setting(SLUG, "facebook", "appSecret"), bob.facebookId, world.gateway.now());
    const reply = await metaCallback(world, SLUG, "data-deletion", signed);
    expect(reply.status).toBe(200);
    expect(reply.headers.get("content-type")).toContain("application/json");
    const answer = (await reply.json()) as { url: string; confirmation_code: string };
    expect(answer.confirmation_code).toMatch(/^[a-z0-9]+$/);
    expect(answer.url).toBe(`${world.url}/status/${answer.confirmation_code}`);
    const id = await newest("facebook/data-deletion");
    const closed = await world.closed(SLUG, id);
    expect(outcomes(closed)).toEqual(EVERYWHERE);
    await expectOnlyRetained(bob.email);
    const again = await metaCallback(world, SLUG, "data-deletion", signed);
    expect(await again.json()).toEqual(answer);
    expect(await newest("facebook/data-deletion"), "no second request").toBe(id);
    expect((await fetch(answer.url)).status).toBe(200);
  });

  it("[CM-1] takes Meta's deauthorization: the grant is over, and own systems hear of it", async () => {
    const dan = await world.person(SLUG, "dan");
    const signed = signedRequest(world.setting(SLUG, "facebook", "appSecret"), dan.facebookId, world.gateway.now());
    expect((await metaCallback(world, SLUG, "deauthorize", signed)).status).toBe(200);
    const closed = await world.closed(SLUG, await newest("facebook/deauthorize"));
    expect(outcomes(closed)).toEqual({ "facebook.revoke": "revoked revoked", "product.revoke": "revoked revoked" });
    expect(await world.held(dan.email), "a revocation is no erasure").not.toEqual([]);
  });

  it("[CM-3] takes Stripe's customer.deleted, verified by the SDK, and erases everywhere where the policy says so", async () => {
    const eve = await world.person(SLUG, "eve");
    await world.api("POST", `/v1/subjects/${eve.id}/objects`, world.key(SLUG), {
      objects: [{ subprocessor: "stripe", type: "stripe.customer", id: "cus_cloutmetricseve" }],
    });
    const event = customerDeleted("evt_eve", "cus_cloutmetricseve", world.gateway.now());
    expect((await stripeDelivery(world, SLUG, event)).status).toBe(202);
    const id = await newest("stripe/events");
    const closed = await world.closed(SLUG, id);
    expect(outcomes(closed)).toEqual(EVERYWHERE);
    await expectOnlyRetained(eve.email);
    // Stripe repeats with a new signature and the same event, and may describe one change in two events.
    expect((await stripeDelivery(world, SLUG, event)).status).toBe(202);
    expect((await stripeDelivery(world, SLUG, { ...event, id: "evt_eve_2" })).status).toBe(202);
    expect(await newest("stripe/events"), "no second request").toBe(id);
  });

  it("[I3] opens nothing when Stripe reports the deletion that we made ourselves", async () => {
    const fay = await world.person("smart-blog-system", "fay");
    const key = world.key("smart-blog-system");
    const opened = await world.api("POST", "/v1/requests", key, { type: "erasure", subject: fay.id });
    await world.closed("smart-blog-system", (opened.body as RequestShape).id);
    const echo = customerDeleted("evt_fay", "cus_smartblogsystemfay", world.gateway.now());
    expect((await stripeDelivery(world, "smart-blog-system", echo)).status).toBe(202);
    const { body } = await world.api("GET", "/v1/requests", key);
    expect((body as { requests: RequestShape[] }).requests).toHaveLength(1);
  });

  it("[I7 I12] leaves no trace of the person in the store, and the receipt verifies with the published keys", async () => {
    const gus = await world.person(SLUG, "gus");
    const opened = await world.api("POST", "/v1/requests", world.key(SLUG), { type: "erasure", subject: gus.id });
    const closed = await world.closed(SLUG, (opened.body as RequestShape).id);
    const receipt = await world.api("GET", `/v1/receipts/${closed.id}`, world.key(SLUG));
    expect(receipt.status).toBe(200);
    const { compactVerify, createRemoteJWKSet } = await import("jose");
    const jws = (receipt.body as { receipt: string }).receipt;
    const keys = createRemoteJWKSet(new URL(`${world.url}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await compactVerify(jws, keys, { algorithms: ["Ed25519"] });
    expect(protectedHeader.typ).toBe("quittance-receipt+jwt");
    const text = new TextDecoder().decode(payload);
    for (const word of [gus.email, gus.name, gus.facebookId, gus.id]) expect(text).not.toContain(`"${word}"`);
    expect(JSON.parse(text)).toMatchObject({ request: closed.id, complete: true, tenant: SLUG });
  });
});
