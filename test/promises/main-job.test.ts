import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { customers } from "../../dev/customers.ts";
import { accountIdOf, holders } from "../../dev/holders.ts";
import { ends, expectOnlyRetained, newestFrom, outcomesOf } from "../support/erased.ts";
import { sendingTo } from "../support/send.ts";
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
const EVERYWHERE = ends[SLUG]?.tasks;

/** A person known to all holders goes in one of several ways and comes out everywhere. */
describe("the main job, through the deployed bundle", () => {
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

  const erase = async (slug: string, subject: string): Promise<RequestShape> => {
    const { status, body } = await world.api("POST", "/v1/requests", world.key(slug), { type: "erasure", subject });
    expect(status).toBe(202);
    return world.closed(slug, (body as RequestShape).id);
  };

  it.each(customers)(
    "[IS-1 CM-2 CM-3 SO-7 SB-1 SB-6 I4] erases a person at every holder of $name, and only what is retained is left",
    async ({ slug, subprocessors }) => {
      const person = await world.person(slug, `ada-${slug}`);
      const before = await world.held(person.email);
      // Meta knows nobody's address.
      for (const { integration, settings } of Object.values(subprocessors))
        for (const { vendor } of holders[integration]?.person(settings, person, NOBODY).seeds ?? [])
          if (vendor !== "meta")
            expect(
              before.some((path) => path.startsWith(`/${vendor.replaceAll("-", "_")}/`)),
              vendor,
            ).toBe(true);
      const closed = await erase(slug, person.id);
      expect(closed.complete).toBe(true);
      expect(outcomesOf(closed)).toEqual(ends[slug]?.tasks);
      await expectOnlyRetained(world, slug, person.email);
    },
  );

  it("[CM-2 CM-3 IS-2 IS-5 SO-4] says what is kept until when, and on which ground", async () => {
    const keptAt = ({ tasks }: RequestShape, task: string) => tasks.find(({ id }) => id === task)?.retained;
    const clout = await erase(SLUG, (await world.person(SLUG, "ann")).id);
    expect(keptAt(clout, "stripe.erase")?.[0]).toMatchObject({
      category: "billing_records",
      ground: expect.stringContaining("legal_obligation"),
    });
    expect(keptAt(clout, "openai.erase"), "what a holder keeps by itself is said").toMatchObject([
      { category: "abuse_monitoring_logs" },
    ]);
    expect(keptAt(clout, "gemini.erase")).toMatchObject([{ category: "abuse_monitoring_logs" }]);
    expect(keptAt(clout, "anthropic.erase")).toMatchObject([
      { category: "api_inputs_and_outputs" },
      { category: "flagged_content" },
      { category: "safety_scores" },
    ]);
    const isocial = await erase("isocial-track", (await world.person("isocial-track", "ann")).id);
    expect(keptAt(isocial, "zendesk.erase")?.[0]).toMatchObject({
      category: "support_tickets",
      ground: expect.stringContaining("legal_claims"),
    });
    expect(keptAt(isocial, "sendgrid.erase")).toMatchObject([
      { category: "suppression_list", ground: expect.stringContaining("GDPR Art. 21(3)") },
      { category: "mail_events" },
    ]);
    expect(keptAt(isocial, "intercom.erase")).toMatchObject([{ category: "deleted_contacts" }]);
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
    const id = await newestFrom(world, SLUG, "facebook/data-deletion");
    const closed = await world.closed(SLUG, id);
    expect(outcomesOf(closed)).toEqual(EVERYWHERE);
    await expectOnlyRetained(world, SLUG, bob.email);
    const again = await metaCallback(world, SLUG, "data-deletion", signed);
    expect(await again.json()).toEqual(answer);
    expect(await newestFrom(world, SLUG, "facebook/data-deletion"), "no second request").toBe(id);
    expect((await fetch(answer.url)).status).toBe(200);
  });

  /** What else leads to an erasure everywhere without a policy of the customer's own. */
  const callbacks = [
    { slug: SLUG, id: "instagram", endpoint: "data-deletion", event: "data_deletion" },
    { slug: SLUG, id: "tiktok", endpoint: "webhooks", event: "authorization.removed (2)" },
    { slug: "isocial-track", id: "facebook", endpoint: "data-deletion", event: "data_deletion" },
    { slug: "isocial-track", id: "instagram", endpoint: "data-deletion", event: "data_deletion" },
    { slug: "imai", id: "tiktok", endpoint: "webhooks", event: "authorization.removed (2)" },
    { slug: "imai", id: "instagram", endpoint: "data-deletion", event: "data_deletion" },
  ];
  it.each(callbacks)("[CM-1 IS-11 IM-1] takes $id's $event for $slug, and erases everywhere", async (way) => {
    const { slug, id, endpoint, event } = way;
    const person: Person = await world.person(slug, `${id}-${slug}`);
    const args = [
      "--tenant",
      slug,
      "--id",
      accountIdOf(id, person),
      "--at",
      new Date(world.gateway.now()).toISOString(),
    ];
    expect((await sending.send(id, event, "--endpoint", endpoint, ...args)).code).toBe(0);
    const closed = await world.closed(slug, await newestFrom(world, slug, `${id}/${endpoint}`));
    expect(closed.complete).toBe(true);
    expect(outcomesOf(closed)).toEqual(ends[slug]?.tasks);
    await expectOnlyRetained(world, slug, person.email);
  });

  it("[CM-1] takes Meta's deauthorization: the grant is over, and own systems hear of it", async () => {
    const dan = await world.person(SLUG, "dan");
    const signed = signedRequest(world.setting(SLUG, "facebook", "appSecret"), dan.facebookId, world.gateway.now());
    expect((await metaCallback(world, SLUG, "deauthorize", signed)).status).toBe(200);
    const closed = await world.closed(SLUG, await newestFrom(world, SLUG, "facebook/deauthorize"));
    expect(outcomesOf(closed)).toEqual({ "facebook.revoke": "revoked revoked", "product.revoke": "revoked revoked" });
    expect(await world.held(dan.email), "a revocation is no erasure").not.toEqual([]);
  });

  it("[CM-3] takes Stripe's customer.deleted, verified by the SDK, and erases everywhere where the policy says so", async () => {
    const eve = await world.person(SLUG, "eve");
    await world.api("POST", `/v1/subjects/${eve.id}/objects`, world.key(SLUG), {
      objects: [{ subprocessor: "stripe", type: "stripe.customer", id: "cus_cloutmetricseve" }],
    });
    const event = customerDeleted("evt_eve", "cus_cloutmetricseve", world.gateway.now());
    expect((await stripeDelivery(world, SLUG, event)).status).toBe(202);
    const id = await newestFrom(world, SLUG, "stripe/events");
    const closed = await world.closed(SLUG, id);
    expect(outcomesOf(closed)).toEqual(EVERYWHERE);
    await expectOnlyRetained(world, SLUG, eve.email);
    // Stripe repeats with a new signature and the same event, and may describe one change in two events.
    expect((await stripeDelivery(world, SLUG, event)).status).toBe(202);
    expect((await stripeDelivery(world, SLUG, { ...event, id: "evt_eve_2" })).status).toBe(202);
    expect(await newestFrom(world, SLUG, "stripe/events"), "no second request").toBe(id);
  });

  it("[I3] opens nothing when Stripe reports the deletion that we made ourselves", async () => {
    const slug = "smart-blog-system";
    const fay = await world.person(slug, "fay");
    const requests = async () =>
      ((await world.api("GET", "/v1/requests", world.key(slug))).body as { requests: RequestShape[] }).requests.length;
    const before = await requests();
    await erase(slug, fay.id);
    const echo = customerDeleted("evt_fay", "cus_smartblogsystemfay", world.gateway.now());
    expect((await stripeDelivery(world, slug, echo)).status).toBe(202);
    expect(await requests()).toBe(before + 1);
  });

  it("[I7 I12] leaves no trace of the person in the store, and the receipt verifies with the published keys", async () => {
    const gus = await world.person(SLUG, "gus");
    const closed = await erase(SLUG, gus.id);
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

const NOBODY = { tag: "nobody", identities: [], payments: 0, age_days: 0 };
