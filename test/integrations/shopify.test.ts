import { describe, expect, it } from "vitest";
import { shopify } from "../../integrations/shopify.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = shopify;
if (isAbsent(hooks)) throw new Error("Shopify has hooks");

const NOW = Date.parse("2026-11-21T09:00:00Z");
const shop = { shop_id: 954889, shop_domain: "ada-lends.myshopify.com" };
const ada = { id: 191167, email: "ada@example.com", phone: "+15550100" };
const bodies = {
  "customers-data-request": { ...shop, orders_requested: [299938], customer: ada, data_request: { id: 9999 } },
  "customers-redact": { ...shop, customer: ada, orders_to_redact: [299938, 280263] },
  "shop-redact": shop,
  "app-uninstalled": { id: 954889, myshopify_domain: shop.shop_domain, updated_at: "2026-11-20T10:00:00+01:00" },
};
const read = (hook: string, body: unknown, receivedAt = NOW, headers: Readonly<Record<string, string>> = {}) =>
  hooks[hook]?.read(proven(JSON.stringify(body), headers, receivedAt));
const idsOf = (hook: string, body: unknown, receivedAt = NOW) => {
  const reading = read(hook, body, receivedAt);
  return reading?.ok === true ? reading.value.map(({ id }) => id) : [];
};
const signalsOf = (hook: string, body: unknown) => {
  const reading = read(hook, body);
  return reading?.ok === true ? reading.value.flatMap(({ signals }) => signals) : undefined;
};

describe("the topic of a delivery, which nothing signs", () => {
  const names = Object.keys(bodies);
  const pairs = Object.entries(bodies).flatMap(([topic, body]) =>
    names.filter((hook) => hook !== topic).map((hook) => ({ topic, hook, body })),
  );

  it.each(Object.entries(bodies))("reads %s at its own address", (hook, body) => {
    expect(read(hook, body)?.ok).toBe(true);
  });

  it.each(pairs)("[I5] refuses a signed $topic that is sent to $hook", ({ hook, body }) => {
    expect(read(hook, body)).toMatchObject({ ok: false, problem: { reason: "unreadable" } });
  });

  it("refuses a request for data with any of its members taken for a redaction's", () => {
    const request = bodies["customers-data-request"];
    expect(read("customers-redact", { ...request, orders_to_redact: [] })?.ok).toBe(false);
    expect(read("customers-data-request", { ...request, orders_to_redact: [] })?.ok).toBe(false);
  });

  it("bears a member that is added to a shop's redaction, if it is the shop's", () => {
    expect(read("shop-redact", { ...shop, shop_plan: "basic" })?.ok).toBe(true);
    for (const member of ["customer", "id", "orders_to_redact", "data_request", "topic"])
      expect(read("shop-redact", { ...shop, [member]: null })?.ok, member).toBe(false);
  });

  it("ends nothing where the header says that a shop of this shape was only updated", () => {
    const reading = read("app-uninstalled", bodies["app-uninstalled"], NOW, { "x-shopify-topic": "shop/update" });
    expect(reading).toMatchObject({ ok: true, value: [{ name: "another topic", signals: [] }] });
  });
});

describe("whom Shopify speaks of", () => {
  it("knows a customer by the ids of shop and customer, as numbers or as text", () => {
    for (const id of [191167, "191167"])
      expect(signalsOf("customers-redact", { ...bodies["customers-redact"], customer: { id } })).toEqual([
        { type: "erasure_requested", identity: { type: "shopify.customer", value: "954889/191167" }, at: NOW },
      ]);
  });

  it("takes ids as text beyond what a number can hold, and refuses them as numbers", () => {
    const big = "99999999999999999999";
    const redaction = bodies["customers-redact"];
    expect(signalsOf("customers-redact", { ...redaction, customer: { id: big } })?.[0]?.identity.value).toBe(
      `954889/${big}`,
    );
    expect(read("customers-redact", { ...redaction, customer: { id: 2 ** 60 } })?.ok).toBe(false);
  });

  it.each([
    { customer: { email: "ada@example.com" }, identity: { type: "email", value: "ada@example.com" } },
    { customer: { id: null, email: null, phone: "+15550100" }, identity: { type: "phone", value: "+15550100" } },
  ])("names what there is where a customer has no id", ({ customer, identity }) => {
    expect(signalsOf("customers-redact", { ...bodies["customers-redact"], customer })?.[0]?.identity).toEqual(identity);
  });

  it("refuses a customer who cannot be told, so that it is seen", () => {
    for (const customer of [{}, { id: null, email: "", phone: null }])
      expect(read("customers-redact", { ...bodies["customers-redact"], customer })).toEqual({
        ok: false,
        problem: { reason: "unreadable", at: "customer" },
      });
  });
});

describe("what Shopify repeats", () => {
  it("knows a repeat by what it says, in whatever order the orders stand, on the same day", () => {
    const again = { ...bodies["customers-redact"], orders_to_redact: [280263, 299938] };
    expect(idsOf("customers-redact", again, NOW + 4 * 3_600_000)).toEqual(
      idsOf("customers-redact", bodies["customers-redact"]),
    );
  });

  it("obeys again when the same person or shop is to be redacted another time", () => {
    for (const hook of ["customers-redact", "shop-redact", "app-uninstalled"] as const)
      expect(idsOf(hook, bodies[hook], NOW + 30 * 86_400_000)).not.toEqual(idsOf(hook, bodies[hook]));
  });

  it("knows a request for data by its own id", () => {
    const body = bodies["customers-data-request"];
    expect(idsOf("customers-data-request", body, NOW + 86_400_000)).toEqual(idsOf("customers-data-request", body));
    expect(idsOf("customers-data-request", { ...body, data_request: { id: 1 } })).not.toEqual(
      idsOf("customers-data-request", body),
    );
  });
});

describe("how Shopify is answered", () => {
  it("refuses with 401, as the review of an app checks, and has 30 days for a redaction", () => {
    for (const hook of Object.values(hooks)) {
      expect(hook.refusal?.status).toBe(401);
      expect(hook.answer).toBe(200);
    }
    expect(hooks["customers-redact"]?.deadlines?.erasure_requested?.hours).toBe(720);
    expect(hooks["shop-redact"]?.deadlines?.erasure_requested?.hours).toBe(720);
  });

  it("only notes a request for data", () => {
    expect(hooks["customers-data-request"]?.authority).toEqual({ access_requested: "record" });
  });

  // RFC 4231, test case 2, with the digest in base64 instead of hex.
  it("verifies a known answer with the secret as its text, the old one too while it is changed", async () => {
    const verify = hooks["shop-redact"]?.verify;
    if (verify === undefined) throw new Error("there is such a hook");
    const delivery = {
      body: "what do ya want for nothing?",
      headers: { "x-shopify-hmac-sha256": "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=" },
    };
    for (const [clientSecret, ok] of [
      ["Jefe", true],
      [["new", "Jefe"], true],
      ["other", false],
    ] as const)
      expect((await checked(verify, delivery, { clientSecret })).ok).toBe(ok);
  });
});

describe("asking Shopify to erase a customer of the own shop", () => {
  const { erase } = shopify.actions;
  if (isAbsent(erase) || isBulk(erase)) throw new Error("Shopify has an erasure");
  const settings = { clientSecret: "x", shop: "ada-lends", shopId: "954889", adminToken: "shpat_test" };
  const by = (type: string, value: string) => orderFor(settings, { type, value });
  const email = by("email", 'ada"@example.com');
  const customer = by("shopify.customer", "954889/191167");
  const refused = (code: string): Played => ({ status: 200, body: { errors: [{ extensions: { code } }] } });
  const nodes = (...found: readonly object[]): Played => ({
    status: 200,
    body: { data: { customers: { nodes: found, pageInfo: { hasNextPage: false } } } },
  });

  it("takes only the customers that have the very address", () => {
    const order = by("email", "ada@example.com");
    const { calls, outcome } = play(erase.run(order), [
      nodes(
        { id: "gid://shopify/Customer/1", email: "ADA@example.com" },
        { id: "gid://shopify/Customer/2", email: "nada@example.com" },
        { id: "gid://shopify/Customer/3", email: null },
      ),
    ]);
    expect(outcome).toEqual({ outcome: "found", identities: [{ type: "shopify.customer", value: "954889/1" }] });
    expect(calls[0]?.at.url).toBe("https://ada-lends.myshopify.com/admin/api/2026-10/graphql.json");
    expect(calls[0]?.headers).toMatchObject({ "x-shopify-access-token": "shpat_test" });
  });

  it("lets no address change the search", () => {
    const { calls } = play(erase.run(email), [nodes()]);
    expect(JSON.parse(calls[0]?.body ?? "").variables).toEqual({ search: 'email:"ada\\"@example.com"' });
  });

  it("asks nothing about a customer of another shop", () => {
    for (const value of ["1/191167", "191167", "954889/"])
      expect(play(erase.run(by("shopify.customer", value)), []).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("understands refusals that come with 200", () => {
    for (const order of [email, customer]) {
      expect(play(erase.run(order), [refused("THROTTLED")]).outcome).toEqual({ outcome: "slow_down", seconds: 2 });
      expect(play(erase.run(order), [refused("ACCESS_DENIED")]).outcome).toMatchObject({ outcome: "unauthorized" });
      expect(play(erase.run(order), [refused("ELSE")]).outcome).toMatchObject({ outcome: "unforeseen" });
    }
  });

  it("[I4] claims nothing where Shopify could not request it", () => {
    const failed = { customerId: null, userErrors: [{ code: "FAILED_TO_REQUEST" }] };
    const reply = { status: 200, body: { data: { customerRequestDataErasure: failed } } };
    expect(play(erase.run(customer), [reply]).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("needs the own shop's token, and is silently absent for those who only offer an app", () => {
    expect(erase.needs).toMatchObject({ settings: ["shop", "shopId", "adminToken"] });
    expect(erase.needs?.otherwise).not.toHaveProperty("instructions");
  });
});
