import { describe, expect, it } from "vitest";
import { paypal } from "../../integrations/paypal.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { orderFor, play } from "../support/play.ts";
import { proven } from "../support/proven.ts";

const hook = isAbsent(paypal.hooks) ? undefined : paypal.hooks.webhooks;
if (hook === undefined) throw new Error("PayPal has a hook");

const NOW = Date.parse("2026-11-21T09:00:00Z");
const AT = Date.parse("2026-11-21T08:59:00.999Z");
const HEADERS = {
  "paypal-transmission-id": "dfb3be50-fd74-11e4-8bf3-77339302725b",
  "paypal-transmission-time": "2026-11-21T08:59:00Z",
};
const event = (event_type: string, resource: unknown, more: object = {}) => ({
  id: "WH-2WR32451HC0233532-67976317FL4543714",
  event_version: "1.0",
  create_time: "2026-11-21T08:59:00Z",
  event_type,
  resource,
  ...more,
});
const read = (body: unknown, headers: Readonly<Record<string, string>> = HEADERS) => {
  const reading = hook.read(proven(JSON.stringify(body), headers, NOW));
  return reading.ok ? reading.value : [];
};
const signalsOf = (body: unknown, headers = HEADERS) => read(body, headers).flatMap(({ signals }) => signals);
const PARTNER = "MERCHANT.PARTNER-CONSENT.REVOKED";
const IDENTITY = "IDENTITY.AUTHORIZATION-CONSENT.REVOKED";

describe("what PayPal tells", () => {
  it("takes an account that took its consent back from either of its names", () => {
    const identity = { type: "paypal.account", value: "ELAMYJUN78D6G" };
    const ended = [{ type: "deauthorized", identity, at: AT }];
    for (const name of [PARTNER, IDENTITY]) {
      expect(signalsOf(event(name, { merchant_id: identity.value, payer_id: "OTHER" }))).toEqual(ended);
      expect(signalsOf(event(name, { payer_id: identity.value }))).toEqual(ended);
      expect(signalsOf(event(name, { payer_id: identity.value, merchant_id: 42 }))).toEqual(ended);
    }
  });

  it("[I3] knows a delivery by the id that is signed, whatever the body says", () => {
    const id = HEADERS["paypal-transmission-id"];
    expect(read(event(PARTNER, { merchant_id: "A" }))).toMatchObject([{ id }]);
    expect(read(event(IDENTITY, { payer_id: "B" }, { id: "WH-forged" }))).toMatchObject([{ id }]);
  });

  it("[I3] takes a time of the body only where it is older than the one that is signed", () => {
    const atOf = (create_time: unknown) => signalsOf(event(PARTNER, { merchant_id: "A" }, { create_time }))[0]?.at;
    expect(atOf("2026-11-01T00:00:00.000Z")).toBe(Date.parse("2026-11-01T00:00:00Z"));
    for (const later of ["2030-01-01T00:00:00Z", "2026-11-21T08:59:00Z", "soon", 17, undefined])
      expect(atOf(later)).toBe(AT);
  });

  it("lets what is deleted or taken back cause no more than in PayPal's own scope", () => {
    expect(Object.values(hook.authority)).not.toContain("everywhere");
    expect(signalsOf(event("VAULT.PAYMENT-TOKEN.DELETED", { id: "8kk8451t" }))).toEqual([
      { type: "token_revoked", identity: { type: "paypal.payment_token", value: "8kk8451t" }, at: AT },
    ]);
  });

  it("counts what it does not know, and what names nobody", () => {
    for (const body of [
      event("PAYMENT.SALE.COMPLETED", { id: "4EU7004268015634R" }),
      event(PARTNER, {}),
      event(PARTNER, undefined),
      event(IDENTITY, { payer_id: "" }),
      event("VAULT.PAYMENT-TOKEN.DELETED", { customer: { id: "c" } }),
    ])
      expect(read(body)).toMatchObject([{ signals: [] }]);
  });
});

describe("what PayPal is told", () => {
  const { erase } = paypal.actions;
  if (isAbsent(erase) || isBulk(erase)) throw new Error("PayPal erases one by one");
  const settings = { environment: "sandbox", clientId: "id", clientSecret: "s:cret", webhookId: "" };
  const token = { status: 200, body: { access_token: "A21AA" } };
  const methods = (...ids: readonly string[]) => ({ status: 200, body: { payment_tokens: ids.map((id) => ({ id })) } });
  const customer = { type: "paypal.customer", value: "customer_42" };

  it("asks for a token of the app, and for the customer's methods at the environment of the setting", () => {
    const { calls } = play(erase.run(orderFor(settings, customer)), [token, methods()]);
    expect(calls.map(({ method, at }) => `${method} ${at.url}`)).toEqual([
      "POST https://api-m.sandbox.paypal.com/v1/oauth2/token",
      "GET https://api-m.sandbox.paypal.com/v3/vault/payment-tokens?customer_id=customer_42&page_size=5&page=1",
    ]);
    expect(calls[0]).toMatchObject({
      headers: { authorization: `Basic ${btoa("id:s:cret")}` },
      body: "grant_type=client_credentials",
    });
    expect(calls[1]?.headers).toEqual({ authorization: "Bearer A21AA" });
  });

  it("[I10] turns no more pages than there can be", () => {
    const five = methods("1", "2", "3", "4", "5");
    const { calls } = play(erase.run(orderFor(settings, customer)), (_, index) => (index === 0 ? token : five));
    expect(calls).toHaveLength(11);
  });

  it("[I4] takes a 404 of a deletion, which is not documented, only together with that of a look", () => {
    const order = orderFor(settings, { type: "paypal.payment_token", value: "8kk8451t" });
    const after = (status: number) => play(erase.run(order), [token, { status: 404 }, { status }]).outcome;
    expect(after(404)).toEqual({ outcome: "not_found" });
    expect(after(200)).toMatchObject({ outcome: "unforeseen", status: 404 });
    expect(after(403)).toMatchObject({ outcome: "unforeseen", status: 403 });
  });

  it("shows a token that was refused, and deletes nothing", () => {
    const { outcome, calls } = play(erase.run(orderFor(settings, customer)), [{ status: 400, body: {} }]);
    expect(outcome).toMatchObject({ outcome: "unforeseen", status: 400 });
    expect(calls).toHaveLength(1);
  });
});
