import fc from "fast-check";
import Stripe from "stripe";
import { describe, expect, it } from "vitest";
import { checked } from "../../support/proven.ts";
import { proves, refuses } from "../../support/schemes.ts";

const encoder = new TextEncoder();

describe("Stripe-Signature", () => {
  const WITHIN = 300;
  const STRIPE = { scheme: "stripe", key: "webhookSecret", withinSeconds: WITHIN } as const;
  const AT = 1_700_000_000;
  const BODY = '{"id":"evt_1","object":"event","note":"Grüße 😀"}';
  const stripe = (
    body: string | Uint8Array,
    signature: string | undefined,
    secrets: readonly string[],
    now = AT * 1000,
  ) => {
    const headers = signature === undefined ? undefined : { "stripe-signature": signature };
    return checked(STRIPE, { body, ...(headers && { headers }) }, { webhookSecret: secrets }, { now });
  };
  const signed = (at = AT, body = BODY, secret = "whsec_k") => stripeSignature(body, secret, at);

  /** src/StripeTests of stripe-dotnet, EventUtilityTest and its event_test_signature.json. */
  it("proves the fixed example of Stripe's own tests, and refuses it when it is old", async () => {
    const body = `${JSON.stringify(
      {
        id: "evt_123",
        object: "event",
        account: "acct_123",
        api_version: "2017-05-25",
        created: 1533204620,
        data: {
          object: {
            id: "ii_123",
            object: "invoiceitem",
            amount: 1000,
            currency: "usd",
            customer: "cus_123",
            date: 1533204620,
            description: "Test Invoice Item",
            discountable: false,
            invoice: "in_123",
            livemode: false,
            metadata: {},
            period: { start: 1533204620, end: 1533204620 },
            plan: null,
            proration: false,
            quantity: null,
            subscription: null,
          },
        },
        livemode: false,
        pending_webhooks: 1,
        request: { id: "req_123", idempotency_key: "idempotency-key-123" },
        type: "invoiceitem.created",
      },
      null,
      2,
    )}\n`;
    const signature =
      "t=1533204620,v1=f0bdba6d4eacbd8ad8a3bbadd7248e633ec1477f7899c124c51b39405fa36613,v0=63f3a72374a733066c4be69ed7f8e5ac85c22c9f0a6a612ab9a025a9e4ee7eef";
    const at = 1533204620 * 1000;
    expect(await stripe(body, signature, ["webhook_secret"], at + 100_000)).toEqual(proves(body));
    expect(await stripe(body, signature, ["webhook_secret"], at + 400_000)).toEqual(refuses("stale"));
    expect(await stripe(body.trimEnd(), signature, ["webhook_secret"], at)).toEqual(refuses("bad_signature"));
  });

  it("tries each of several secrets, wherever in the list the right one stands", async () => {
    const signature = await signed();
    for (const secrets of [["whsec_k"], ["whsec_k", "whsec_a"], ["whsec_a", "whsec_k"], ["a", "b", "whsec_k"]])
      expect(await stripe(BODY, signature, secrets)).toEqual(proves(BODY));
    expect(await stripe(BODY, signature, ["whsec_a", "whsec_b"])).toEqual(refuses("bad_signature"));
    expect(await stripe(BODY, signature, [])).toEqual(refuses("no_key"));
  });

  it("takes the whole secret as text, its prefix included", async () => {
    expect(await stripe(BODY, await signed(AT, BODY, "k"), ["whsec_k"])).toEqual(refuses("bad_signature"));
  });

  it("accepts one good signature among several, as while a secret is being rotated", async () => {
    const good = await signed();
    const [time = "", v1 = ""] = good.split(",");
    expect(await stripe(BODY, `${time},v1=${"0".repeat(64)},${v1}`, ["whsec_k"])).toEqual(proves(BODY));
    expect(await stripe(BODY, `${good},v1=potato,v2=x`, ["whsec_k"])).toEqual(proves(BODY));
  });

  it("[I5] ignores version 0, which is no signature", async () => {
    const v0 = await stripeSignature(BODY, "whsec_k", AT, "v0");
    expect(v0).toContain("v0=");
    expect(await stripe(BODY, v0, ["whsec_k"])).toEqual(refuses("bad_signature"));
  });

  it.each([
    [-WITHIN, true],
    [-WITHIN - 1, false],
    [0, true],
    [WITHIN, true],
    [WITHIN + 1, false],
    [86_400, false],
  ])("[I5] takes a time %i seconds from ours for good: %s", async (ahead, good) => {
    expect((await stripe(BODY, await signed(AT + ahead), ["whsec_k"])).ok).toBe(good);
  });

  it("[I5] judges the very time that is signed, when the header holds another before it", async () => {
    const future = await signed(AT + 10 * 86_400);
    expect((await stripe(BODY, `t=${AT},${future}`, ["whsec_k"])).ok).toBe(false);
    expect((await stripe(BODY, `t=${AT},t=${AT + 10 * 86_400},${future}`, ["whsec_k"])).ok).toBe(false);
  });

  it.each([
    "",
    "t=",
    "t=x",
    "t=-1",
    `t=${"9".repeat(12)}`,
    `t=${"9".repeat(400)}`,
    "t=1e10",
    "t=NaN",
    "t=Infinity",
    "t=0x10",
  ])("[I5] refuses %s for a time", async (time) => {
    const [, v1 = ""] = (await signed()).split(",");
    expect((await stripe(BODY, `${time},${v1}`, ["whsec_k"])).ok).toBe(false);
  });

  it.each([
    undefined,
    "",
    "v1",
    "v1,t=1700000000",
    `t=${AT}`,
    `t=${AT},v1`,
    `t=${AT},v1,v1=`,
    ",",
    "=",
    `t=${AT},v1=`,
    "x".repeat(5000),
  ])("[I5] refuses the header %s with a result", async (header) => {
    expect((await stripe(BODY, header, ["whsec_k"])).ok).toBe(false);
  });

  it("[I5] refuses a genuine signature in a header of another form than Stripe's", async () => {
    const good = await signed();
    const [time = "", v1 = ""] = good.split(",");
    const odd = [
      `${time}, ${v1}`,
      `${good},`,
      `,${good}`,
      `${good},v1`,
      `${good},v1=a=b`,
      `${good},${time}`,
      `${v1}`,
      `t=1${"0".repeat(12)},${good}`,
      `${good}${",v0=x".repeat(15)}`,
    ];
    for (const header of odd) expect(await stripe(BODY, header, ["whsec_k"]), header).toEqual(refuses("malformed"));
    expect((await stripe(BODY, `${v1},${time}${",v0=x".repeat(14)}`, ["whsec_k"])).ok).toBe(true);
  });

  it("[I5] refuses a body that is empty, or not UTF-8, or begins with a byte order mark that was not signed", async () => {
    expect((await stripe("", await signed(), ["whsec_k"])).ok).toBe(false);
    const bytes = encoder.encode(BODY);
    expect(await stripe(new Uint8Array([...bytes, 0xc3]), await signed(), ["whsec_k"])).toEqual(refuses("malformed"));
    expect((await stripe(new Uint8Array([0xef, 0xbb, 0xbf, ...bytes]), await signed(), ["whsec_k"])).ok).toBe(false);
  });

  it("[I5] accepts no delivery with a byte changed, whichever and to whatever", async () => {
    const signature = await signed();
    const genuine = encoder.encode(BODY);
    await fc.assert(
      fc.asyncProperty(fc.nat(genuine.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const changed = Uint8Array.from(genuine);
        changed[at] = (changed[at] ?? 0) ^ by;
        expect((await stripe(changed, signature, ["whsec_k"])).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("proves whatever was signed, and gives it back to the letter", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", minLength: 1 }), async (body) => {
        expect(await stripe(body, await signed(AT, body), ["whsec_k"])).toEqual(proves(body));
      }),
    );
  });

  it("[I5] answers any header and any body with a result, never with an exception", async () => {
    const part = fc.oneof(
      fc.constantFrom("t", "v1", "v0", "=", ",", `t=${AT}`, "v1=", `v1=${"0".repeat(64)}`),
      fc.string({ maxLength: 10 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 8 }),
        fc.constantFrom("", ","),
        fc.uint8Array({ maxLength: 50 }),
        async (parts, separator, body) => {
          expect((await stripe(body, parts.join(separator), ["whsec_k"])).ok).toBe(false);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("[I5] refuses what is old even where the tolerance is nothing", async () => {
    const none = { ...STRIPE, withinSeconds: 0 };
    const delivery = { body: BODY, headers: { "stripe-signature": await signed() } };
    const at = (now: number) => checked(none, delivery, { webhookSecret: "whsec_k" }, { now });
    expect((await at(AT * 1000)).ok).toBe(true);
    expect(await at(AT * 1000 + 1000)).toEqual(refuses("stale"));
  });
});

const stripeSignature = (payload: string, secret: string, timestamp: number, scheme = "v1"): Promise<string> =>
  Stripe.webhooks.generateTestHeaderStringAsync({
    payload,
    secret,
    timestamp,
    scheme,
    signature: "",
    cryptoProvider: Stripe.createSubtleCryptoProvider(),
  });
