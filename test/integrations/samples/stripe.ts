import { accepted, erased, notFound, notYet, retained, revoked } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { connection, on, person, type Sample, signal, type Way } from "./kit.ts";

const byId = on(200, 404);
const listing = on(200);
const list = (...ids: readonly string[]): Played => ({
  status: 200,
  body: { object: "list", data: ids.map((id) => ({ id })), has_more: false },
});
const customer = { type: "stripe.customer", value: "cus_1" };
const records = (...made: readonly string[]): Played => ({
  status: 200,
  body: {
    object: "list",
    data: made.map((at, index) => ({ id: `pi_${index}`, created: Date.parse(at) / 1000 })),
    has_more: false,
  },
});
const redaction = (status: string): Played => ({ status: 200, body: { id: "prj_1", object: "redaction_job", status } });
const missing = { status: 404, body: { error: { type: "invalid_request_error", code: "resource_missing" } } };
const stripeWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: customer,
  ...way,
});
// A list for a customer that does not exist is refused with 400 or 404 and `resource_missing`.
const ofCustomer = on(200, 400, 404);
const customerDeleted = { status: 200, body: { id: "cus_1", object: "customer", deleted: true } };
const noMethods = ofCustomer(list());
const none = [ofCustomer(records()), ofCustomer(records()), ofCustomer(records())];
const old = [ofCustomer(records("2025-01-01T00:00:00Z")), ofCustomer(records()), ofCustomer(records())];
const fresh = [ofCustomer(records("2026-11-01T00:00:00Z")), ofCustomer(records()), ofCustomer(records())];

const account = { type: "stripe.account", value: "acct_1" };
const grant = { accessToken: "sk_test_ofacct1", refreshToken: "rt_1", scopes: ["read_write"], account };
// The text of a refusal tells what it means, whatever its status.
const refusals = Array.from({ length: 100 }, (_, nth) => 400 + nth);
const ofConnection = { action: "revoke", identity: connection, grant } as const;
const notConnected = {
  status: 401,
  body: {
    error: "invalid_client",
    error_description: "This application is not connected to stripe account acct_1, or that account does not exist.",
  },
};

export const sample: Sample = {
  settings: { secretKey: "sk_test_0123456789", webhookSecret: "whsec_0123456789abcdef", clientId: "ca_0123456789" },
  hooks: {
    events: {
      "customer.deleted": (at) => [signal("account_deleted", customer, at)],
      "account.application.deauthorized": (at) => [
        signal("deauthorized", { type: "stripe.account", value: "acct_1" }, at),
      ],
    },
  },
  ways: [
    stripeWay({
      name: "e-mail found",
      identity: person,
      steps: [listing(list("cus_1")), listing(list("cus_1"))],
      outcome: { outcome: "found", identities: [customer] },
    }),
    stripeWay({
      name: "e-mail not found",
      identity: person,
      steps: [listing(list()), listing(list())],
      outcome: notFound,
    }),
    stripeWay({
      name: "customer without payments",
      steps: [...none, noMethods, byId(customerDeleted)],
      outcome: erased,
    }),
    stripeWay({ name: "customer that is gone", steps: [...none, noMethods, byId(missing)], outcome: notFound }),
    stripeWay({
      name: "payments that are kept",
      keeps: ["billing_records"],
      steps: [...old, noMethods, byId(customerDeleted)],
      outcome: retained("billing_records", [customer]),
    }),
    stripeWay({
      name: "recent payments",
      steps: [...fresh, noMethods, byId(customerDeleted)],
      outcome: notYet(
        "recent_payments",
        [customer],
        "2027-01-30T00:00:00.000Z",
        "Stripe redacts payments only when the last is 90 days old",
      ),
    }),
    stripeWay({
      name: "redaction begun",
      steps: [...old, ofCustomer(redaction("created"))],
      outcome: accepted("prj_1", 30),
    }),
    stripeWay({ name: "redaction done at once", steps: [...old, ofCustomer(redaction("succeeded"))], outcome: erased }),
    stripeWay({
      name: "payment that is gone",
      identity: { type: "stripe.records", value: "pi_1" },
      steps: [ofCustomer(missing)],
      outcome: notFound,
    }),
    stripeWay({
      name: "redaction succeeded",
      part: { check: "prj_1" },
      steps: [listing(redaction("succeeded"))],
      outcome: erased,
    }),
    stripeWay({
      name: "redaction ready",
      part: { check: "prj_1" },
      steps: [listing(redaction("ready")), listing(redaction("redacting"))],
      outcome: accepted("prj_1", 300),
    }),
    stripeWay({ name: "look at a deleted customer", part: "look", steps: [byId(customerDeleted)], outcome: "absent" }),
    stripeWay({
      name: "look at a customer that is there",
      part: "look",
      steps: [byId({ status: 200, body: { id: "cus_1", object: "customer", email: "ada@example.com", name: null } })],
      outcome: "present",
    }),
    stripeWay({
      name: "account deauthorized",
      action: "revoke",
      identity: { type: "stripe.account", value: "acct_1" },
      steps: [on(200, 400, 401)({ status: 200, body: { stripe_user_id: "acct_1" } })],
      outcome: revoked,
    }),
    stripeWay({
      name: "connection",
      ...ofConnection,
      steps: [on(200, 400, 401)({ status: 200, body: { stripe_user_id: "acct_1" } })],
      outcome: revoked,
    }),
    stripeWay({
      name: "connection that is no more",
      ...ofConnection,
      steps: [on(200, ...refusals)(notConnected)],
      outcome: notFound,
    }),
    stripeWay({
      name: "its token is dead",
      part: "look",
      ...ofConnection,
      steps: [on(200, 401)({ status: 401, body: { error: { code: "api_key_expired" } } })],
      outcome: "absent",
    }),
    stripeWay({
      name: "its token lives",
      part: "look",
      ...ofConnection,
      steps: [on(200, 401)({ status: 200, body: { id: "acct_1", object: "account" } })],
      outcome: "present",
    }),
  ],
  oauth: {
    token: () => ({
      status: 200,
      body: {
        access_token: "sk_test_ofacct1",
        livemode: false,
        refresh_token: "rt_1",
        token_type: "bearer",
        stripe_publishable_key: "pk_test_ofacct1",
        stripe_user_id: "acct_1",
        scope: "read_write",
      },
    }),
    asks: [],
    grant,
    invalidGrant: {
      status: 400,
      body: { error: "invalid_grant", error_description: "Authorization code does not exist: ac_1" },
    },
  },
};
