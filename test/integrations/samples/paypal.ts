import { erased, notFound, stoppedBecause } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { connection, on, type Sample, signal, type Way } from "./kit.ts";

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

const grant = {
  accessToken: "A21AAperson",
  refreshToken: "R23AAperson",
  scopes: ["openid", "https://uri.paypal.com/services/paypalattributes"],
  account: { type: "paypal.account", value: "ADATESTPAYER2" },
};
const tokens = (access: string) => ({
  scope: "openid https://uri.paypal.com/services/paypalattributes",
  access_token: access,
  token_type: "Bearer",
  expires_in: 28_800,
});
const staysBecause = (what: string) =>
  stoppedBecause(
    `PayPal has no call that ends a consent; ${what}the tokens held here are destroyed, and the person can remove the consent in the PayPal account`,
  );
const stays = staysBecause("the access token is ended, ");

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
    way({
      name: "connection",
      action: "revoke",
      identity: connection,
      grant,
      steps: [on(200)({ status: 200 })],
      outcome: stays,
    }),
    way({
      name: "connection whose access token PayPal does not end",
      action: "revoke",
      identity: connection,
      grant,
      steps: [on(200)({ status: 400 })],
      outcome: staysBecause(""),
    }),
    way({
      name: "connection whose access token has expired",
      action: "revoke",
      identity: connection,
      grant: { ...grant, expiresAt: 0 },
      steps: [],
      outcome: stays,
    }),
  ],
  oauth: {
    token: () => ({
      status: 200,
      body: { ...tokens("A21AAperson"), refresh_token: "R23AAperson", id_token: "not.looked.at" },
    }),
    asks: [
      on(200)({
        status: 200,
        body: { user_id: "https://www.paypal.com/webapps/auth/identity/user/1", payer_id: "ADATESTPAYER2" },
      }),
    ],
    grant,
    lastsSeconds: 28_800,
    renewed: {
      reply: () => ({ status: 200, body: tokens("A21AAsecond") }),
      grant: { ...grant, accessToken: "A21AAsecond" },
    },
    invalidGrant: { status: 400, body: { error: "invalid_grant", error_description: "Invalid authorization code" } },
  },
};
