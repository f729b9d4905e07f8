import { describe, expect, it } from "vitest";
import { adyen } from "../../integrations/adyen.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound, retained } from "../../src/contract/outcome.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = adyen.actions;
if (isAbsent(erase) || isBulk(erase) || erase.look === undefined) throw new Error("Adyen has an erasure");
const { run, look } = erase;

const settings = { environment: "test", merchantAccount: "AcmeECOM", apiKey: "key-1", checkout: "checkout-test" };
const order = (type: string, value: string, more: Partial<typeof settings> = {}) =>
  orderFor({ ...settings, ...more }, { type: `adyen.${type}`, value });
const live = { environment: "live", checkout: "1797a841fbb37ca7-acme-checkout-live" };
const said = (result: string): Played => ({ status: 200, body: { result } });
const listed = (...ids: readonly string[]): Played => ({
  status: 200,
  body: { storedPaymentMethods: ids.map((id) => ({ id })) },
});

describe("a payment's shopper at Adyen", () => {
  it("is erased by force, because a saved payment method is another identity", () => {
    const { calls, outcome } = play(run(order("psp_reference", "881")), [said("SUCCESS")]);
    expect(outcome).toEqual(erased);
    expect(calls[0]).toMatchObject({
      method: "POST",
      at: { url: "https://ca-test.adyen.com/ca/services/DataProtectionService/v1/requestSubjectErasure" },
      headers: { "x-api-key": "key-1" },
    });
    expect(JSON.parse(calls[0]?.body ?? "")).toEqual({
      merchantAccount: "AcmeECOM",
      pspReference: "881",
      forceErasure: true,
    });
    const [call] = play(run(order("psp_reference", "881", live)), [said("SUCCESS")]).calls;
    expect(new URL(call?.at.url ?? "").host).toBe("ca-live.adyen.com");
  });

  it("is erased where it was asked for before, and not found where there is no such payment", () => {
    expect(play(run(order("psp_reference", "881")), [said("ALREADY_PROCESSED")]).outcome).toEqual(erased);
    expect(play(run(order("psp_reference", "881")), [said("PAYMENT_NOT_FOUND")]).outcome).toEqual(notFound);
  });

  it.each([
    ["a refusal for a saved payment method", said("ACTIVE_RECURRING_TOKEN_EXISTS")],
    ["another result", said("RECEIVED")],
    ["no result", { status: 200, body: {} }],
    ["202", { ...said("SUCCESS"), status: 202 }],
    ["422", { status: 422, body: { errorCode: "100" } }],
  ])("[I4] is not erased by %s", (_, reply) => {
    expect(play(run(order("psp_reference", "881")), [reply]).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("is kept where the policy keeps payments, and found again on its day by its own reference", () => {
    const kept = orderFor(settings, { type: "adyen.psp_reference", value: "881" }, { keeps: new Set(["payments"]) });
    expect(play(run(kept), []).outcome).toEqual(retained("payments", [{ type: "adyen.psp_reference", value: "881" }]));
    // A saved payment method is no record of a payment.
    const method = orderFor(
      settings,
      { type: "adyen.stored_method", value: "M1/ada" },
      { keeps: new Set(["payments"]) },
    );
    expect(play(run(method), [listed("M1"), { status: 204 }]).outcome).toEqual(erased);
  });

  it("cannot be looked at", () => {
    expect(play(look.run(order("psp_reference", "881")), []).outcome).toBe("no_view");
  });
});

describe("saved payment methods at Adyen", () => {
  it("are found by the tenant's reference of a shopper, whatever is in it", () => {
    const { calls, outcome } = play(run(order("shopper_reference", "acme/ada", live)), [listed("M1", "M2")]);
    expect(outcome).toEqual({
      outcome: "found",
      identities: ["M1/acme/ada", "M2/acme/ada"].map((value) => ({ type: "adyen.stored_method", value })),
    });
    expect(calls[0]?.at.url).toBe(
      "https://1797a841fbb37ca7-acme-checkout-live.adyenpayments.com/checkout/v71/storedPaymentMethods?shopperReference=acme%2Fada&merchantAccount=AcmeECOM",
    );
  });

  it("are listed before one is deleted, and again after", () => {
    const method = order("stored_method", "M1/acme/ada");
    const { calls, outcome } = play(run(method), [listed("M1", "M2"), { status: 204 }]);
    expect(outcome).toEqual(erased);
    expect(calls[1]).toMatchObject({
      method: "DELETE",
      at: {
        url: "https://checkout-test.adyen.com/v71/storedPaymentMethods/M1?shopperReference=acme%2Fada&merchantAccount=AcmeECOM",
      },
    });
    expect(play(run(method), [listed("M2")]).outcome).toEqual(notFound);
    expect(play(look.run(method), [listed("M2")]).outcome).toBe("absent");
    expect(play(look.run(method), [listed("M1")]).outcome).toBe("present");
  });

  it("[I4] are not deleted by what is not documented", () => {
    for (const status of [200, 404, 422])
      expect(play(run(order("stored_method", "M1/ada")), [listed("M1"), { status }]).outcome).toMatchObject({
        outcome: "unforeseen",
      });
    expect(play(run(order("stored_method", "M1")), []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });

  it("rest with a credential that may not see or delete them", () => {
    for (const replies of [[{ status: 403 }], [listed("M1"), { status: 403 }]])
      expect(play(run(order("stored_method", "M1/ada")), replies).outcome).toMatchObject({ outcome: "unauthorized" });
    expect(play(look.run(order("stored_method", "M1/ada")), [{ status: 403 }]).outcome).toMatchObject({
      outcome: "unauthorized",
    });
  });
});

it("[I13] takes no more of a host than its first part", () => {
  const schema = settingsSchema(adyen.settings);
  expect(schema.safeParse({ ...settings, ...live }).success).toBe(true);
  for (const checkout of ["evil.example", "a/b", ""])
    expect(schema.safeParse({ ...settings, checkout }).success).toBe(false);
});
