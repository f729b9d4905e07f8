import { isUtf8 } from "node:buffer";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { PayPalSignature } from "../../../src/contract/verification.ts";
import type { KeySets } from "../../../src/ports.ts";
import { fail, ok } from "../../../src/result.ts";
import { newCertificate } from "../../support/certificate.ts";
import { type Case, check, itKeepsToItsWindow, itProvesNothingElse, proves, refuses } from "../../support/schemes.ts";

const THREE_DAYS = 3 * 86_400;
const scheme: PayPalSignature = { scheme: "paypal", webhookId: { setting: "webhookId" }, withinSeconds: THREE_DAYS };
const CERTIFICATE = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77";
const paypal = await newCertificate({
  commonName: "messageverificationcerts.sandbox.paypal.com",
  from: "2015-01-01T00:00:00Z",
});

const published = (pem: string): KeySets => ({
  keys: async () => undefined,
  text: async (address) => (address === CERTIFICATE ? ok(pem) : fail("absent")),
});

/** spec/webhooks_examples_spec.rb of PayPal's Ruby SDK, whose body has the CRC 2771810304. Its certificate is not published. */
const BODY =
  '{"id":"WH-0G2756385H040842W-5Y612302CV158622M","create_time":"2015-05-18T15:45:13Z","resource_type":"sale","event_type":"PAYMENT.SALE.COMPLETED","summary":"Payment completed for $ 20.0 USD","resource":{"id":"4EU7004268015634R","create_time":"2015-05-18T15:44:02Z","update_time":"2015-05-18T15:44:21Z","amount":{"total":"20.00","currency":"USD"},"payment_mode":"INSTANT_TRANSFER","state":"completed","protection_eligibility":"ELIGIBLE","protection_eligibility_type":"ITEM_NOT_RECEIVED_ELIGIBLE,UNAUTHORIZED_PAYMENT_ELIGIBLE","parent_payment":"PAY-86C81811X5228590KKVNARQQ","transaction_fee":{"value":"0.88","currency":"USD"},"links":[{"href":"https://api.sandbox.paypal.com/v1/payments/sale/4EU7004268015634R","rel":"self","method":"GET"},{"href":"https://api.sandbox.paypal.com/v1/payments/sale/4EU7004268015634R/refund","rel":"refund","method":"POST"},{"href":"https://api.sandbox.paypal.com/v1/payments/payment/PAY-86C81811X5228590KKVNARQQ","rel":"parent_payment","method":"GET"}]},"links":[{"href":"https://api.sandbox.paypal.com/v1/notifications/webhooks-events/WH-0G2756385H040842W-5Y612302CV158622M","rel":"self","method":"GET"},{"href":"https://api.sandbox.paypal.com/v1/notifications/webhooks-events/WH-0G2756385H040842W-5Y612302CV158622M/resend","rel":"resend","method":"POST"}]}';
const ID = "dfb3be50-fd74-11e4-8bf3-77339302725b";
const SIGNED = "dfb3be50-fd74-11e4-8bf3-77339302725b|2015-05-18T15:45:13Z|4JH86294D6297924G|2771810304";
const AT = Date.parse("2015-05-18T15:45:13Z");

const delivered = async (signed = SIGNED, by = paypal): Promise<Case> => ({
  scheme,
  settings: { webhookId: "4JH86294D6297924G" },
  now: AT,
  keySets: published(by.pem),
  posted: {
    body: BODY,
    headers: {
      "paypal-transmission-id": ID,
      "paypal-transmission-time": "2015-05-18T15:45:13Z",
      "paypal-transmission-sig": await by.sign(signed),
      "paypal-cert-url": CERTIFICATE,
      "paypal-auth-algo": "SHA256withRSA",
    },
  },
});
const changed = async (headers: Readonly<Record<string, string>>) => {
  const genuine = await delivered();
  return check(genuine, { headers: { ...genuine.posted.headers, ...headers } });
};

describe("PayPal", () => {
  it("proves the text of PayPal's SDK, with the CRC of its body", async () => {
    // The check value of CRC-32/ISO-HDLC, which is zlib's.
    expect(crc32("123456789")).toBe(3421780262);
    expect(crc32(BODY)).toBe(2771810304);
    expect(await check(await delivered())).toEqual(proves(BODY));
  });

  itProvesNothingElse("PayPal", delivered, { webhookId: "4JH86294D6297924X" });
  itKeepsToItsWindow(
    "PayPal",
    async (at) => {
      const time = new Date(at).toISOString();
      const genuine = await delivered(`${ID}|${time}|4JH86294D6297924G|2771810304`);
      const headers = { ...genuine.posted.headers, "paypal-transmission-time": time };
      return { ...genuine, posted: { ...genuine.posted, headers } };
    },
    THREE_DAYS,
  );

  it("cannot tell another body with the same CRC, which is why an event's id is the transmission's", async () => {
    const genuine = await delivered();
    // Four bytes make any text fit any CRC; texts are tried until the four are UTF-8.
    const texts = Array.from({ length: 5000 }, (_, at) => fitting(`{"id":"WH-forged-${at}"}`, crc32(BODY)));
    const forged = texts.find((text) => isUtf8(Buffer.from(text)));
    expect(crc32(forged ?? "")).toBe(crc32(BODY));
    const result = await check(genuine, { body: forged ?? "" });
    if (!result.ok) throw new Error(result.problem.reason);
    expect(result.value.signed("paypal-transmission-id")).toBe(ID);
  });

  it("[I5] refuses a CRC in hex, with a sign, or padded", async () => {
    for (const crc of ["a5366e40", "-1523156992", "02771810304", "+2771810304"])
      expect(await check(await delivered(SIGNED.replace("2771810304", crc)))).toEqual(refuses("bad_signature"));
  });

  it("[I5] refuses what PayPal's simulator signs for anybody", async () => {
    const simulated = await delivered(SIGNED.replace("4JH86294D6297924G", "WEBHOOK_ID"));
    expect(await check({ ...simulated, settings: { webhookId: "WEBHOOK_ID" } })).toEqual(refuses("no_key"));
    expect(await check(simulated)).toEqual(refuses("bad_signature"));
  });

  it("[I5] refuses a bar in an id, which would move the next piece", async () => {
    const moved = `${ID}|2015-05-18T15:45:13Z`;
    expect(await changed({ "paypal-transmission-id": moved })).toEqual(refuses("malformed"));
  });

  it.each([
    "http://api.paypal.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com.example/v1/notifications/certs/CERT-1",
    "https://evil.example/v1/notifications/certs/CERT-1",
    "https://www.paypal.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
    "https://user@api.paypal.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com/v1/notifications/certs/../../x",
    "https://api.paypal.com/v1/notifications/certs/a/b",
    "https://api.paypal.com/v1/notifications/certs/a?b",
    "https://api.paypal.com/v1/notifications/certs/a#b",
    "https://api.paypal.com/v1/notifications/certs/%2e",
    "https://api.paypal.com/v1/notifications/certs/",
    "https://api.paypal.com/graphql",
    `${CERTIFICATE}, ${CERTIFICATE}`,
    "",
  ])("[I13] does not look for a certificate at %s", async (address) => {
    expect(await changed({ "paypal-cert-url": address })).toEqual({
      ok: false,
      problem: { reason: "malformed", what: "paypal-cert-url" },
    });
  });

  it("[I5] refuses a certificate of another name, and one that is not in force", async () => {
    const from = "2015-01-01T00:00:00Z";
    for (const commonName of ["paypal.com.example", "evilpaypal.com", "x", ""]) {
      const by = await newCertificate({ commonName, from });
      expect(await check(await delivered(SIGNED, by)), commonName).toEqual(refuses("malformed"));
    }
    const commonName = "messageverificationcerts.paypal.com";
    const past = await newCertificate({ commonName, from, until: "2015-05-18T15:45:12Z" });
    const future = await newCertificate({ commonName, from: "2015-05-18T15:45:14Z" });
    for (const by of [past, future]) expect(await check(await delivered(SIGNED, by))).toEqual(refuses("malformed"));
    const good = await newCertificate({ commonName, from });
    expect((await check(await delivered(SIGNED, good))).ok).toBe(true);
  });

  it("tells a certificate that cannot be had from an address where there is none", async () => {
    const genuine = await delivered();
    const none: KeySets = { keys: async () => undefined, text: async () => fail("unavailable") };
    expect(await check({ ...genuine, keySets: none })).toEqual(refuses("keys_unavailable"));
    expect(await changed({ "paypal-cert-url": CERTIFICATE.replace("360c", "ffff") })).toEqual(refuses("malformed"));
  });
});

/** Appends the four bytes by which the text gets the CRC that is wanted. */
function fitting(text: string, wanted: number): Uint8Array {
  const table = Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value >>> 0;
  });
  const state = ~crc32(text) >>> 0;
  let back = ~wanted >>> 0;
  const indices: number[] = [];
  for (let step = 0; step < 4; step++) {
    const index = table.findIndex((value) => value >>> 24 === back >>> 24);
    indices.unshift(index);
    back = (((back ^ (table[index] ?? 0)) << 8) | index) >>> 0;
  }
  let current = state;
  const bytes = indices.map((index) => {
    const byte = (index ^ current) & 0xff;
    current = ((current >>> 8) ^ (table[index] ?? 0)) >>> 0;
    return byte;
  });
  return new Uint8Array([...new TextEncoder().encode(text), ...bytes]);
}
