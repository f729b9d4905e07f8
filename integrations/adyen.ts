import { z } from "zod";
import {
  type Address,
  at,
  del,
  get,
  noCall,
  postJson,
  type Reply,
  read,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, erased, found, notFound, retained, type Sight } from "../src/contract/outcome.ts";
import { dnsLabel, type Settings, secret, text } from "../src/contract/settings.ts";

/**
 * Adyen takes payments for the tenant. It erases a shopper's data payment by payment, and saved payment methods by the tenant's
 * reference of a shopper; it knows no erasure of a person as a whole. It tells us of payments, and of no erasure.
 */
const PROTECTION = "https://docs.adyen.com/development-resources/data-protection-api";
const STORED = "https://docs.adyen.com/api-explorer/Checkout/71/delete/storedPaymentMethods/(storedPaymentMethodId)";

const PAYMENT = "adyen.psp_reference";
const SHOPPER = "adyen.shopper_reference";
const METHOD = "adyen.stored_method";

const Result = z.object({
  result: z.enum(["SUCCESS", "ALREADY_PROCESSED", "PAYMENT_NOT_FOUND", "ACTIVE_RECURRING_TOKEN_EXISTS"]),
});
const Methods = z.object({ storedPaymentMethods: z.array(z.object({ id: z.string().min(1) })).default([]) });

const settings = {
  environment: text("live or test", /^(live|test)$/),
  merchantAccount: text("Merchant account"),
  apiKey: secret("API key of a credential that may erase data and manage saved payment methods"),
  checkout: dnsLabel("First part of the Checkout API's host: …-checkout-live, or checkout-test"),
} satisfies Settings;

export const adyen = defineIntegration({
  id: "adyen",
  name: "Adyen",
  about: "Takes payments.",
  origins: [
    "https://ca-live.adyen.com",
    "https://ca-test.adyen.com",
    "https://checkout-test.adyen.com",
    "https://{checkout}.adyenpayments.com",
  ],
  settings,
  identities: {
    [PAYMENT]: "PSP reference of a payment's authorisation",
    [SHOPPER]: "The tenant's reference of a shopper (`shopperReference`)",
    [METHOD]: "A saved payment method and whose it is (`id/shopperReference`)",
  },

  hooks: absent(
    "its webhooks carry payments and saved payment methods, and tell of no erasure",
    "https://docs.adyen.com/development-resources/webhooks/",
  ),
  oauth: absent("API keys only", "https://docs.adyen.com/development-resources/api-credentials/"),

  actions: {
    revoke: absent("a saved payment method ends with an erasure; people grant Adyen nothing else", STORED),
    erase: {
      source: PROTECTION,
      by: [PAYMENT, SHOPPER, METHOD],
      each: "identity",
      learns: [METHOD],
      *run(order) {
        const { type, value } = order.identity;
        if (type === PAYMENT && order.keeps.has("payments")) return retained("payments", [order.identity]);
        if (type === PAYMENT) return yield* erasePayment(order);
        if (type === METHOD) return yield* eraseMethod(order);
        const methods = yield* methodsOf(value, order);
        return "outcome" in methods ? methods : found(methods.map((id) => ({ type: METHOD, value: `${id}/${value}` })));
      },
      look: {
        afterSeconds: 60,
        *run(order): Steps<Sight> {
          if (order.identity.type !== METHOD) return "no_view";
          const { id, shopper } = ownerOf(order);
          const methods = yield* methodsOf(shopper, order);
          if ("outcome" in methods) return methods;
          return methods.includes(id) ? "present" : "absent";
        },
      },
    },
  },

  // As a licensed institution Adyen keeps what it has to, "in accordance with the Merchant Agreement": for how long is not stated.
  residuals: [],
  retainable: ["payments"],
  // No rate is documented.
  limits: { perSecond: 5, connections: 1, account: { settings: ["environment", "merchantAccount"] } },
});

type AdyenOrder = Order<typeof settings>;

const auth = ({ settings }: AdyenOrder) => ({ "x-api-key": settings.apiKey });

/**
 * Forced, because the person is to be erased whatever is still to be charged: it "does not cancel the existing recurring
 * transaction", whose payment method is another identity.
 */
function* erasePayment(order: AdyenOrder): Steps<Answer> {
  const { environment, merchantAccount } = order.settings;
  const erasure =
    environment === "live"
      ? at`https://ca-live.adyen.com/ca/services/DataProtectionService/v1/requestSubjectErasure`
      : at`https://ca-test.adyen.com/ca/services/DataProtectionService/v1/requestSubjectErasure`;
  const body = { merchantAccount, pspReference: order.identity.value, forceErasure: true };
  const reply = yield postJson(erasure, auth(order), body);
  if (reply.status === 403) return forbidden(reply);
  const answered = read(reply, Result);
  if (!answered.ok) return answered.problem;
  switch (answered.value.result) {
    // "Received, and will be processed asynchronously": there is nothing to ask by, and the API shows no shopper's data.
    case "SUCCESS":
    case "ALREADY_PROCESSED":
      return erased;
    case "PAYMENT_NOT_FOUND":
      return notFound;
    case "ACTIVE_RECURRING_TOKEN_EXISTS":
      return unforeseen(reply, "Adyen refuses the erasure for a saved payment method, although it was told not to");
  }
}

function ownerOf({ identity: { value } }: AdyenOrder): { readonly id: string; readonly shopper: string } {
  const slash = value.indexOf("/");
  return slash < 1 ? { id: value, shopper: "" } : { id: value.slice(0, slash), shopper: value.slice(slash + 1) };
}

/** Listed first: what deleting one answers that is gone is not documented. */
function* eraseMethod(order: AdyenOrder): Steps<Answer> {
  const { id, shopper } = ownerOf(order);
  if (shopper === "") return unforeseen(noCall, "a saved payment method reads id/shopperReference");
  const methods = yield* methodsOf(shopper, order);
  if ("outcome" in methods) return methods;
  if (!methods.includes(id)) return notFound;
  const { merchantAccount } = order.settings;
  const path = at`/storedPaymentMethods/${{ method: id }}?shopperReference=${{ shopper }}&merchantAccount=${{ merchantAccount }}`;
  const reply = yield del(under(order, path), auth(order));
  if (reply.status === 403) return forbidden(reply);
  return reply.status === 204 ? erased : unforeseen(reply);
}

function under({ settings: { environment, checkout } }: AdyenOrder, { url, template }: Address): Address {
  const api =
    environment === "live"
      ? at`https://${{ checkout }}.adyenpayments.com/checkout/v71`
      : at`https://checkout-test.adyen.com/v71`;
  return { url: api.url + url, template: api.template + template };
}

function* methodsOf(
  shopper: string,
  order: AdyenOrder,
): Steps<readonly string[] | ReturnType<typeof unforeseen> | ReturnType<typeof forbidden>> {
  const { merchantAccount } = order.settings;
  const path = at`/storedPaymentMethods?shopperReference=${{ shopper }}&merchantAccount=${{ merchantAccount }}`;
  const reply = yield get(under(order, path), auth(order));
  if (reply.status === 403) return forbidden(reply);
  const methods = read(reply, Methods);
  return methods.ok ? methods.value.storedPaymentMethods.map(({ id }) => id) : methods.problem;
}

/** 401 is the driver's business, 403 is not. */
const forbidden = (reply: Reply) =>
  unauthorized(reply, "Adyen answered 403, as for a credential without a role that this call needs");
