import { describe, expect, it } from "vitest";
import { customerIo } from "../../integrations/customer-io.ts";
import { isAbsent } from "../../src/contract/integration.ts";
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
