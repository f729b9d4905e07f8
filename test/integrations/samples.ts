import { base64url } from "jose";
import Stripe from "stripe";
import type { Identity } from "../../src/contract/identity.ts";
import type { ActionName } from "../../src/contract/integration.ts";
import {
  type Answer,
  accepted,
  awaitsCompletion,
  erased,
  notFound,
  notYet,
  retained,
  revoked,
  type Sight,
} from "../../src/contract/outcome.ts";
import type { Signal } from "../../src/contract/signal.ts";
import type { Played } from "../support/play.ts";

/** A delivery as the vendor itself would sign it, without any of our code. */
export type Genuine = { readonly body: string; readonly headers: Readonly<Record<string, string>> };

export type HookSample = {
  readonly sign: (key: string, at: number) => Promise<Genuine>;
  /** What it says when it was signed at `at`. */
  readonly says: (at: number) => readonly Signal[];
};

/** One step of an action: what the vendor answers, and which statuses it documents for this call. */
export type Step = { readonly reply: Played; readonly documented: (status: number) => boolean };

/** One way through an action, from a documented answer of each call to its outcome. */
export type Way = {
  readonly name: string;
  readonly action: ActionName;
  readonly part: "run" | "look" | { readonly check: string };
  readonly identity: Identity;
  readonly keeps?: readonly string[];
  readonly steps: readonly Step[];
  readonly outcome: Answer | Sight;
};

export type Sample = {
  readonly settings: Readonly<Record<string, string>>;
  readonly hooks: Readonly<Record<string, HookSample>>;
  readonly ways: readonly Way[];
};

const on =
  (...statuses: readonly number[]) =>
  (reply: Played): Step => ({ reply, documented: (status) => statuses.includes(status) });

const person = { type: "email", value: "ada@example.com" };

const facebookUser = { type: "facebook.user_id", value: "1000000000001" };
const graph = (reply: Played): Step => ({
  reply,
  documented: (status) => status === 200 || Math.trunc(status / 100) === 4,
});
const graphError = (code: number, error_subcode?: number) => ({
  error: { message: "(#1) no", type: "OAuthException", code, ...(error_subcode !== undefined && { error_subcode }) },
});
const removal = (name: string, reply: Played, outcome: Answer): Way => ({
  name,
  action: "revoke",
  part: "run",
  identity: facebookUser,
  steps: [graph(reply)],
  outcome,
});

const facebook: Sample = {
  settings: { appId: "123456789012345", appSecret: "0123456789abcdef0123456789abcdef" },
  hooks: {
    "data-deletion": { sign: signedRequest, says: (at) => [signal("erasure_requested", facebookUser, at)] },
    deauthorize: { sign: signedRequest, says: (at) => [signal("deauthorized", facebookUser, at)] },
  },
  ways: [
    removal("success", { status: 200, body: { success: true } }, revoked),
    removal("plain true", { status: 200, body: "true" }, revoked),
    removal("app not authorised", { status: 400, body: graphError(190, 458) }, notFound),
    removal("no such object", { status: 400, body: graphError(100, 33) }, notFound),
  ],
};

const file = { type: "openai.file", value: "file-abc123" };
const deleted = { status: 200, body: { id: "file-abc123", object: "file", deleted: true } };
const openaiWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: file,
  ...way,
});
const list = (...ids: readonly string[]): Played => ({
  status: 200,
  body: { object: "list", data: ids.map((id) => ({ id })), has_more: false },
});
const gone = { status: 404, body: { error: { message: "No such object", type: "invalid_request_error", code: null } } };
const byId = on(200, 404);
const listing = on(200);

const openai: Sample = {
  settings: { apiKey: "sk-proj-0123456789" },
  hooks: {},
  ways: [
    openaiWay({ name: "file deleted", steps: [byId(deleted)], outcome: erased }),
    openaiWay({ name: "no such file", steps: [byId(gone)], outcome: notFound }),
    openaiWay({
      name: "conversation with an item",
      identity: { type: "openai.conversation", value: "conv_1" },
      steps: [byId(list("msg_1")), byId({ status: 200, body: { id: "conv_1" } }), byId(list()), byId(deleted)],
      outcome: erased,
    }),
    openaiWay({
      name: "completions by metadata",
      identity: { type: "openai.metadata", value: "subject=u-1" },
      steps: [listing(list("chatcmpl-1")), byId(deleted), listing(list())],
      outcome: erased,
    }),
    openaiWay({
      name: "no completions by metadata",
      identity: { type: "openai.metadata", value: "subject=u-1" },
      steps: [listing(list())],
      outcome: notFound,
    }),
    openaiWay({ name: "look at a file that is gone", part: "look", steps: [byId(gone)], outcome: "absent" }),
    openaiWay({
      name: "look at a file that is there",
      part: "look",
      steps: [byId({ status: 200, body: { id: "file-abc123", object: "file" } })],
      outcome: "present",
    }),
    openaiWay({
      name: "look for completions by metadata",
      part: "look",
      identity: { type: "openai.metadata", value: "subject=u-1" },
      steps: [listing(list())],
      outcome: "absent",
    }),
  ],
};

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

const stripe: Sample = {
  settings: { secretKey: "sk_test_0123456789", webhookSecret: "whsec_0123456789abcdef", clientId: "ca_0123456789" },
  hooks: {
    events: {
      sign: stripeEvent,
      says: (at) => [signal("account_deleted", customer, at)],
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
  ],
};

const told = on(200, 202);
const own = (action: ActionName, body: object, outcome: Answer): Way => ({
  name: `${action} answered with ${JSON.stringify(body)}`,
  action,
  part: "run",
  identity: person,
  steps: [told({ status: 200, body })],
  outcome,
});

const firstParty: Sample = {
  settings: {
    url: "https://privacy.example.com/erasure",
    secret: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
  },
  hooks: {},
  ways: [
    own("erase", { status: "done" }, erased),
    own("erase", { status: "not_found" }, notFound),
    own("erase", { status: "accepted" }, awaitsCompletion),
    own("erase", { status: "retained", category: "backups" }, retained("backups", [person])),
    own("revoke", { status: "done" }, revoked),
  ],
};

/** What every integration's contract test needs beside its declaration, by the integration's id. */
export const samples: Readonly<Record<string, Sample>> = { facebook, openai, stripe, "first-party": firstParty };

function signal(type: Signal["type"], identity: Identity, at: number): Signal {
  // Both vendors give whole seconds, so it may have happened until the end of that second.
  return { type, identity, at: Math.floor(at / 1000) * 1000 + 999 };
}

/** Meta's scheme, from its documents: HMAC-SHA256 of the encoded payload, both in base64url without padding. */
export async function signedRequest(key: string, at: number): Promise<Genuine> {
  const payload = { algorithm: "HMAC-SHA256", issued_at: Math.floor(at / 1000), user_id: facebookUser.value };
  return { body: `signed_request=${await signedPayload(key, JSON.stringify(payload))}`, headers: {} };
}

export async function signedPayload(key: string, payload: string): Promise<string> {
  const bytes = new TextEncoder();
  const encoded = base64url.encode(payload);
  const secret = await crypto.subtle.importKey("raw", bytes.encode(key), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const mac = await crypto.subtle.sign("HMAC", secret, bytes.encode(encoded));
  return `${base64url.encode(new Uint8Array(mac))}.${encoded}`;
}

/** Stripe's scheme, as Stripe's own SDK signs its test events. */
export async function stripeEvent(key: string, at: number): Promise<Genuine> {
  const timestamp = Math.floor(at / 1000);
  const body = JSON.stringify({
    id: "evt_1",
    object: "event",
    created: timestamp,
    type: "customer.deleted",
    data: { object: { id: customer.value, object: "customer" } },
  });
  return { body, headers: { "stripe-signature": await stripeSignature(body, key, timestamp) } };
}

export const stripeSignature = (payload: string, secret: string, timestamp: number, scheme = "v1"): Promise<string> =>
  Stripe.webhooks.generateTestHeaderStringAsync({
    payload,
    secret,
    timestamp,
    scheme,
    signature: "",
    cryptoProvider: Stripe.createSubtleCryptoProvider(),
  });
