import { describe, expect, it } from "vitest";
import { customerIo } from "../../integrations/customer-io.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = customerIo;
const hook = isAbsent(hooks) ? undefined : hooks.reporting;
if (hook === undefined) throw new Error("Customer.io has a hook");

const event = {
  event_id: "01E4C4CT6YDC7Y5M7FE1GWWPQJ",
  object_type: "customer",
  metric: "unsubscribed",
  timestamp: 1_763_715_600,
  data: { customer_id: "u-1", identifiers: { id: "u-1", email: "ada@example.com", cio_id: "c1" } },
};
const read = (change: object) => {
  const reading = hook.read(proven(JSON.stringify({ ...event, ...change })));
  if (!reading.ok) throw new Error(reading.problem.at);
  return reading.value[0];
};

describe("what Customer.io tells us", () => {
  it("only notes that a person unsubscribed, by the id that is there", () => {
    const identityOf = (data: object) => read({ data })?.signals[0]?.identity;
    expect(read({})).toEqual({
      id: event.event_id,
      name: "customer.unsubscribed",
      signals: [
        { type: "consent_withdrawn", identity: { type: "customer-io.id", value: "u-1" }, at: 1_763_715_600_999 },
      ],
    });
    expect(identityOf({ customer_id: "u-2" })).toEqual({ type: "customer-io.id", value: "u-2" });
    expect(identityOf({ identifiers: { id: null, cio_id: "c1" } })).toEqual({
      type: "customer-io.cio_id",
      value: "c1",
    });
    expect(identityOf({ identifiers: { email: "ada@example.com" } })).toEqual({
      type: "email",
      value: "ada@example.com",
    });
    expect(hook.authority).toEqual({ consent_withdrawn: "record" });
  });

  it("counts a person who cannot be told, because a refusal would hold up all others", () => {
    for (const data of [{}, { identifiers: {} }, { identifiers: "u-1" }, { customer_id: 5 }, null, undefined])
      expect(read({ data })?.signals).toEqual([]);
  });

  it("takes no other event for one", () => {
    for (const change of [
      { object_type: "email" },
      { metric: "subscribed" },
      { metric: "delivered", object_type: "sms" },
    ])
      expect(read(change)?.signals).toEqual([]);
  });
});

describe("Customer.io's signature", () => {
  const delivery = {
    body: "{}",
    headers: {
      "x-cio-timestamp": "1763715600",
      "x-cio-signature": "58ec97b11cfa6d1b5977cec1475c23a2755f205a43a42c1ede66c31ea92bf00c",
    },
  };

  // Made with OpenSSL from the recipe of Customer.io's documents.
  it("covers version, time and body, is bare hex, and has no age", async () => {
    for (const now of [0, 1_763_715_600_000 + 7 * 86_400_000])
      expect((await checked(hook.verify, delivery, { signingKey: "Jefe" }, { now })).ok).toBe(true);
  });

  it("[I5] refuses a signature of the body alone, and one with a version before it", async () => {
    for (const signature of [
      "7bb7ae87018c3fb8b9be866ac39dea2bcc1ad2c907c314bbcad059bdeee591d6",
      "v0=58ec97b11cfa6d1b5977cec1475c23a2755f205a43a42c1ede66c31ea92bf00c",
    ]) {
      const headers = { ...delivery.headers, "x-cio-signature": signature };
      expect((await checked(hook.verify, { ...delivery, headers }, { signingKey: "Jefe" })).ok).toBe(false);
    }
  });
});

describe("what we tell Customer.io", () => {
  const { erase } = customerIo.actions;
  if (isAbsent(erase) || isBulk(erase) || erase.look === undefined) throw new Error("Customer.io has an erasure");
  const { look } = erase;
  const settings = {
    siteId: "site-1",
    trackApiKey: "track-1",
    appApiKey: "app-1",
    residency: "US",
    ending: "",
    signingKey: "",
  };
  const order = (type: string, value: string, more: Partial<typeof settings> = {}) =>
    orderFor({ ...settings, ...more }, { type, value });
  const own = (more: Partial<typeof settings> = {}) => order("customer-io.cio_id", "c1", more);
  const there = (attributes: object): Played => ({ status: 200, body: { customer: { id: "1", attributes } } });
  const both = there({ id: "u-1", cio_id: "c1" });

  it("finds everybody with an address, and the person with an id, before it changes anything", () => {
    const people: Played = {
      status: 200,
      body: {
        results: [
          { id: "u-1", cio_id: "c1" },
          { id: null, cio_id: "c2" },
        ],
      },
    };
    const { calls, outcome } = play(erase.run(order("email", "ada+1@example.com")), [people]);
    expect(outcome).toMatchObject({ outcome: "found", identities: [{ value: "c1" }, { value: "c2" }] });
    expect(calls[0]).toMatchObject({
      at: { url: "https://api.customer.io/v1/customers?email=ada%2B1%40example.com" },
      headers: { authorization: "Bearer app-1" },
    });
    const byId = play(erase.run(order("customer-io.id", "u/1", { residency: "EU" })), [both]);
    expect(byId.outcome).toMatchObject({ outcome: "found", identities: [{ type: "customer-io.cio_id", value: "c1" }] });
    expect(byId.calls[0]?.at.url).toBe("https://api-eu.customer.io/v1/customers/u%2F1/attributes?id_type=id");
  });

  it("suppresses by the tenant's id, so that it is taken no more", () => {
    const { calls, outcome } = play(erase.run(own()), [both, { status: 200 }]);
    expect(outcome).toEqual(erased);
    expect(calls[1]).toMatchObject({
      method: "POST",
      at: { url: "https://track.customer.io/api/v1/customers/u-1/suppress" },
      headers: { authorization: `Basic ${btoa("site-1:track-1")}` },
    });
  });

  it.each([
    ["there is none", { cio_id: "c1" }],
    ["it reads like one of Customer.io's own", { id: "cio_c9", cio_id: "c1" }],
  ])("names Customer.io's id where %s", (_, attributes) => {
    const { calls } = play(erase.run(own()), [there(attributes), { status: 200 }]);
    expect(calls[1]?.at.url).toBe("https://track.customer.io/api/v1/customers/cio_c1/suppress");
  });

  it("only deletes where the settings say so", () => {
    const { calls, outcome } = play(erase.run(own({ ending: "delete", residency: "EU" })), [both, { status: 200 }]);
    expect(outcome).toEqual(erased);
    expect(calls[1]).toMatchObject({
      method: "DELETE",
      at: { url: "https://track-eu.customer.io/api/v1/customers/u-1" },
    });
  });

  it("calls nobody erased who was not there, although Customer.io would answer 200", () => {
    expect(play(erase.run(own()), [{ status: 404 }]).outcome).toEqual(notFound);
  });

  it("looks again, by whatever id was known", () => {
    expect(play(look.run(own()), [{ status: 404 }]).outcome).toBe("absent");
    expect(play(look.run(own()), [both]).outcome).toBe("present");
    expect(play(look.run(order("email", "a@example.com")), [{ status: 200, body: { results: [] } }]).outcome).toBe(
      "absent",
    );
    expect(play(look.run(own()), [{ status: 400 }]).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it.each([
    ["204 for a suppression", [both, { status: 204 }]],
    ["a person without ids", [there({})]],
    ["400 for a person", [{ status: 400 }]],
  ])("[I4] takes %s for no end", (_, replies) => {
    expect(play(erase.run(own()), replies).outcome).toMatchObject({ outcome: "unforeseen" });
  });
});
