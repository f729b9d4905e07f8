import { erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, signal, type Way } from "./kit.ts";

const customer = { type: "paypal.customer", value: "customer_42" };
const method = (value = "8kk8451t") => ({ type: "paypal.payment_token", value });
const token = on(200)({ status: 200, body: { access_token: "A21AA", token_type: "Bearer", expires_in: 32400 } });
const listed = (...ids: readonly string[]) =>
  on(200)({ status: 200, body: { customer: { id: customer.value }, payment_tokens: ids.map((id) => ({ id })) } });
const missing: Played = { status: 404, body: { name: "RESOURCE_NOT_FOUND" } };
const one = on(200, 404);
const removal = on(204, 404);
const account = (type: "deauthorized", value: string) => (at: number) => [
  signal(type, { type: "paypal.account", value }, at),
];
const way = (given: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: method(),
  ...given,
});
const five = ["t1", "t2", "t3", "t4", "t5"];

export const sample: Sample = {
  settings: {
    environment: "live",
    clientId: "AbCdEf0123456789",
    clientSecret: "ElOpQr0123456789",
    webhookId: "4JH86294D6297924G",
  },
  hooks: {
    webhooks: {
      "IDENTITY.AUTHORIZATION-CONSENT.REVOKED": account("deauthorized", "ADATESTPAYER2"),
      "MERCHANT.PARTNER-CONSENT.REVOKED": account("deauthorized", "ADATESTSHOP22"),
      "VAULT.PAYMENT-TOKEN.DELETED": (at) => [signal("token_revoked", method(), at)],
      "VAULT.PAYMENT-TOKEN.DELETION-INITIATED": () => [],
      "MERCHANT.ONBOARDING.COMPLETED": () => [],
    },
  },
  ways: [
    way({
      name: "customer with payment methods",
      identity: customer,
      steps: [token, listed(...five), listed("t6")],
      outcome: { outcome: "found", identities: [...five, "t6"].map(method) },
    }),
    way({ name: "customer without payment methods", identity: customer, steps: [token, listed()], outcome: notFound }),
    way({ name: "payment method", steps: [token, removal({ status: 204 })], outcome: erased }),
    way({
      name: "payment method that is gone",
      steps: [token, removal(missing), one(missing)],
      outcome: notFound,
    }),
    way({ name: "look at one that is gone", part: "look", steps: [token, one(missing)], outcome: "absent" }),
    way({
      name: "look at one that is there",
      part: "look",
      steps: [token, one({ status: 200, body: { id: "8kk8451t" } })],
      outcome: "present",
    }),
  ],
};
