import { Hono } from "hono";
import { z } from "zod";
import { derivedId } from "./shelf.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const HOSTS =
  /^(?:ca-(?:live|test)\.adyen\.com|checkout-test\.adyen\.com|[a-z0-9-]+-checkout-live\.adyenpayments\.com)$/;
/** Unconfirmed: how long an erasure takes. */
const ERASED_AFTER_MS = 60_000;

/** `{vendor: "adyen", account: "<merchant account>", payments?: [{psp_reference, shopper, email?}], stored?: [{id?, shopper}]}`. */
const Seed = z.object({
  account: z.string(),
  payments: z
    .array(z.strictObject({ psp_reference: z.string(), shopper: z.string().optional(), email: z.string().optional() }))
    .default([]),
  stored: z.array(z.strictObject({ id: z.string().optional(), shopper: z.string() })).default([]),
});

const Erasure = z.strictObject({
  merchantAccount: z.string(),
  pspReference: z.string(),
  forceErasure: z.boolean().default(false),
});

type Payment = {
  readonly account: string;
  readonly psp_reference: string;
  shopper: string;
  email: string;
  requestedAt?: number;
};
type Stored = { readonly account: string; readonly id: string; readonly shopper: string };

/**
 * Adyen's payments, whose shopper's data is redacted a while after it was asked, and saved payment methods.
 *
 * Unconfirmed: what deleting a method that is gone is answered (422 here).
 *
 * @see https://docs.adyen.com/development-resources/data-protection-api and https://github.com/Adyen/adyen-openapi
 */
export const adyen: MakeVendor = (world) => {
  let payments: Payment[] = [];
  let stored: Stored[] = [];
  const settle = () => {
    for (const payment of payments)
      if (payment.requestedAt !== undefined && world.now() >= payment.requestedAt + ERASED_AFTER_MS) {
        payment.shopper = "REDACTED";
        payment.email = "REDACTED";
      }
  };

  const app = new Hono();
  app.use("*", async (c, next) => {
    if (!c.req.header("x-api-key")) return adyenError(401, "000", WORDS.unauthorized);
    settle();
    return next();
  });
  app.post("/ca/services/DataProtectionService/v1/requestSubjectErasure", async (c) => {
    const body = Erasure.safeParse(await c.req.json().catch(() => undefined));
    if (!body.success) return adyenError(422, "100", "Required object is not provided");
    const { merchantAccount, pspReference, forceErasure } = body.data;
    const payment = payments.find((each) => each.account === merchantAccount && each.psp_reference === pspReference);
    if (!payment) return c.json({ result: "PAYMENT_NOT_FOUND" });
    if (payment.requestedAt !== undefined) return c.json({ result: "ALREADY_PROCESSED" });
    const isTokenised = stored.some((each) => each.account === merchantAccount && each.shopper === payment.shopper);
    if (isTokenised && !forceErasure) return c.json({ result: "ACTIVE_RECURRING_TOKEN_EXISTS" });
    payment.requestedAt = world.now();
    return c.json({ result: "SUCCESS" });
  });
  const checkout = new Hono();
  checkout.get("/storedPaymentMethods", (c) => {
    const { shopperReference, merchantAccount } = c.req.query();
    const own = stored.filter((each) => each.account === merchantAccount && each.shopper === shopperReference);
    return c.json({
      merchantAccount,
      shopperReference,
      storedPaymentMethods: own.map(({ id }) => ({ id, type: "scheme" })),
    });
  });
  checkout.delete("/storedPaymentMethods/:id", (c) => {
    const { shopperReference, merchantAccount } = c.req.query();
    const isIt = (each: Stored) =>
      each.account === merchantAccount && each.shopper === shopperReference && each.id === c.req.param("id");
    if (!stored.some(isIt)) return adyenError(422, "800", "Contract not found");
    stored = stored.filter((each) => !isIt(each));
    return c.body(null, 204);
  });
  app.route("/v71", checkout);
  app.route("/checkout/v71", checkout);
  app.notFound(() => adyenError(404, "000", "Not found"));

  return {
    id: "adyen",
    about: "ca-….adyen.com, checkout-test.adyen.com, …-checkout-live.adyenpayments.com",
    serves: (host) => HOSTS.test(host),
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => adyenError(status, "000", WORDS[reason]),
    seed(body) {
      const { account, payments: paid, stored: saved } = Seed.parse(body);
      for (const { psp_reference, shopper = "", email = "" } of paid)
        payments.push({ account, psp_reference, shopper, email });
      saved.forEach(({ id, shopper }, nth) => {
        stored.push({ account, id: id ?? derivedId("", account, shopper, nth), shopper });
      });
      return { payments: payments.length, stored: stored.length };
    },
    holdings() {
      settle();
      return {
        payments: payments.map(({ psp_reference, shopper, email }): Json => ({ psp_reference, shopper, email })),
        stored: stored.map(({ id, shopper }) => ({ id, shopper })),
      };
    },
    reset() {
      payments = [];
      stored = [];
    },
  };
};

const WORDS = { unauthorized: "Unauthorized", rate_limited: "Too many requests", server_error: "Internal error" };

const adyenError = (status: number, errorCode: string, message: string): Response =>
  Response.json({ status, errorCode, message, errorType: "validation" }, { status });
