import { z } from "zod";
import { type Address, at, bearer, type Call, del, get, postForm, read, unforeseen } from "../src/contract/call.ts";
import { fine, lacksScope, unclear } from "../src/contract/check.ts";
import { absent, defineIntegration, type Steps } from "../src/contract/integration.ts";
import { accountIn, basic, CONNECTION, grantOf, type TokenAnswer } from "../src/contract/oauth.ts";
import { type Answer, erased, found, notFound, type Sight, stoppedBecause } from "../src/contract/outcome.ts";
import { optional, type Settings, type SettingValues, secret, text } from "../src/contract/settings.ts";
import { json, Rfc3339, type Signal } from "../src/contract/signal.ts";

/**
 * PayPal takes payments for the tenant and keeps payment methods for later ones.
 * It tells us when a person or a merchant takes back what they allowed, and when a payment method was deleted; we can have it
 * delete a customer's payment methods. Its records of payments are its own, as a controller: nobody can have them erased here.
 */
const WEBHOOKS = "https://developer.paypal.com/api/rest/webhooks/rest/";
const VAULT = "https://developer.paypal.com/docs/api/payment-tokens/v3/";
const LOGIN = "https://developer.paypal.com/docs/log-in-with-paypal/";
const LOGIN_BUTTON = "https://developer.paypal.com/log-in/build-button";
const LOGIN_TOKENS = "https://developer.paypal.com/log-in/build";

/** https://developer.paypal.com/api/rest/webhooks/event-names/ */
const Event = z.object({
  event_type: z.string().min(1),
  create_time: z.string().optional().catch(undefined),
  resource: z.unknown().optional(),
});

const AccountId = z.string().min(1).max(64).optional().catch(undefined);
/** Unconfirmed: which of the two an event bears. Both are one kind of id, that of an account at PayPal. */
const Consent = z.object({ payer_id: AccountId, merchant_id: AccountId });
const Deleted = z.object({ id: z.string().min(1).max(255) });

const CONSENTS: ReadonlySet<string> = new Set([
  "IDENTITY.AUTHORIZATION-CONSENT.REVOKED",
  "MERCHANT.PARTNER-CONSENT.REVOKED",
]);

const Token = z.object({ access_token: z.string().min(1) });
const Methods = z.object({ payment_tokens: z.array(z.object({ id: z.string().min(1) })).default([]) });

/** What one page gives at most, and how many pages there are. */
const PAGE = 5;
const PAGES = 10;

const settings = {
  environment: text("Environment: live or sandbox", /^(live|sandbox)$/),
  clientId: text("Client ID of the REST app", /^[\x21-\x39\x3b-\x7e]+$/),
  clientSecret: secret("Secret of the REST app", /^[\x21-\x7e]+$/),
  webhookId: optional(text("Webhook ID", /^[A-Za-z0-9-]+$/)),
} satisfies Settings;

/** Unconfirmed: whether an ID token comes with the tokens. If so it is not used: whose they are, PayPal is asked. */
const adapt = ({ status, json: { id_token: _, ...json } }: TokenAnswer): TokenAnswer => ({ status, json });

export const paypal = defineIntegration({
  id: "paypal",
  name: "PayPal",
  about: "Takes payments and keeps payment methods for later ones.",
  origins: ["https://api-m.paypal.com", "https://api-m.sandbox.paypal.com"],
  settings,
  identities: {
    "paypal.account": "Account at PayPal: a payer id or a merchant id",
    "paypal.customer": "Customer of the vault",
    "paypal.payment_token": "Payment method that was saved in the vault",
  },

  hooks: {
    webhooks: {
      source: WEBHOOKS,
      verify: {
        scheme: "paypal",
        webhookId: { setting: "webhookId" },
        // It repeats for three days under the first time; the last try may be a little late.
        withinSeconds: 4 * 86_400,
      },
      contentTypes: ["application/json"],
      read: json(Event, ({ event_type, create_time, resource }, { signed, receivedAt }) => {
        const sent = momentOf(signed("paypal-transmission-time")) ?? receivedAt;
        // Sent again by hand it bears a new time; what is not really signed may make it older and never newer.
        const at = Math.min(sent, momentOf(create_time) ?? sent);
        // Of the body no more than a CRC is signed, so that the first body under a transmission's id is the only one.
        return [
          {
            id: signed("paypal-transmission-id") ?? "",
            name: event_type,
            signals: signalsOf(event_type, resource, at),
          },
        ];
      }),
      // The grant that ended is PayPal's own, and so is what it may cause. A deleted payment method ends nothing else.
      authority: { deauthorized: "here", token_revoked: "record" },
      answer: 200,
      retriesForHours: 72,
      events: [
        "IDENTITY.AUTHORIZATION-CONSENT.REVOKED",
        "MERCHANT.PARTNER-CONSENT.REVOKED",
        "VAULT.PAYMENT-TOKEN.DELETED",
        "VAULT.PAYMENT-TOKEN.DELETION-INITIATED",
        "MERCHANT.ONBOARDING.COMPLETED",
      ],
    },
  },

  oauth: {
    source: LOGIN_BUTTON,
    server: {
      by: "environment",
      servers: {
        live: {
          issuer: "https://www.paypal.com",
          authorize: "https://www.paypal.com/signin/authorize",
          token: "https://api-m.paypal.com/v1/oauth2/token",
        },
        sandbox: {
          issuer: "https://www.sandbox.paypal.com",
          authorize: "https://www.sandbox.paypal.com/signin/authorize",
          token: "https://api-m.sandbox.paypal.com/v1/oauth2/token",
        },
      },
    },
    client: { id: "clientId", secret: "clientSecret", by: "basic" },
    pkce: absent("its pages name no parameters for it", LOGIN_BUTTON),
    // Without the second, nothing says which account it is.
    scopes: { standard: ["openid", "https://uri.paypal.com/services/paypalattributes"] },
    parameters: { flowEntry: "static" },
    adapt,
    *account({ settings, accessToken }) {
      const profile = read(yield userinfoCall(settings, accessToken), z.looseObject({}));
      return profile.ok ? accountIn("paypal.account", profile.value, "payer_id") : profile;
    },
    refresh: { source: LOGIN_TOKENS },
    // Ending an access token is known to end no more than itself.
    kills: "grant",
  },

  actions: {
    revoke: {
      source: LOGIN,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const { accessToken, expiresAt } = grantOf(order);
        // What has ended by itself need not be ended, and nobody says what PayPal would answer.
        const isOver = expiresAt !== undefined && expiresAt <= Date.parse(order.attemptedAt);
        const isEnded = isOver || (yield terminateCall(order.settings, accessToken)).status === 200;
        return stoppedBecause(
          isEnded ? `${NO_END}; the access token is ended, ${DESTROYED}` : `${NO_END}; ${DESTROYED}`,
        );
      },
    },
    erase: {
      source: VAULT,
      by: ["paypal.customer", "paypal.payment_token"],
      each: "identity",
      learns: ["paypal.payment_token"],
      *run({ identity: { type, value }, settings: account }) {
        const token = read(yield tokenCall(account), Token);
        if (!token.ok) return token.problem;
        const auth = bearer(token.value.access_token);
        return type === "paypal.customer"
          ? yield* methodsOf(value, account, auth)
          : yield* remove(value, account, auth);
      },
      look: {
        // Methods of PayPal's own wallet are deleted a while after it was asked.
        afterSeconds: 300,
        *run({ identity: { type, value }, settings: account }) {
          if (type !== "paypal.payment_token") return "no_view";
          const token = read(yield tokenCall(account), Token);
          return token.ok ? yield* seen(value, account, bearer(token.value.access_token)) : token.problem;
        },
      },
    },
  },

  check: {
    source: "https://developer.paypal.com/api/rest/authentication/",
    shows: "the app gets an access token, and the vault's list of a customer who is not there",
    posts: "an access token is asked for, which changes nothing",
    *run(account) {
      const token = read(yield tokenCall(account), Token);
      if (!token.ok) return unclear(token.problem);
      const none = at`/v3/vault/payment-tokens?customer_id=${{ customer: "quittance-check" }}&page_size=1`;
      const reply = yield get(under(account, none), bearer(token.value.access_token));
      if (reply.status === 403) return lacksScope(reply, "the app may not use the vault: switch it on for the app");
      // Unconfirmed: which of the two a customer that is not there is answered with.
      if (reply.status === 404) return fine;
      const methods = read(reply, Methods);
      return methods.ok ? fine : unclear(methods.problem);
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2, account: { settings: ["environment", "clientId"] } },
});

function signalsOf(event: string, resource: unknown, at: number): readonly Signal[] {
  if (CONSENTS.has(event)) {
    const { data: { merchant_id, payer_id } = {} } = Consent.safeParse(resource);
    const value = merchant_id ?? payer_id;
    return value === undefined ? [] : [{ type: "deauthorized", identity: { type: "paypal.account", value }, at }];
  }
  if (event !== "VAULT.PAYMENT-TOKEN.DELETED") return [];
  const deleted = Deleted.safeParse(resource);
  if (!deleted.success) return [];
  return [{ type: "token_revoked", identity: { type: "paypal.payment_token", value: deleted.data.id }, at }];
}

/** The last moment that a time may mean: with whole seconds, the end of its second. */
function momentOf(time: string | undefined): number | undefined {
  const moment = Rfc3339.safeParse(time);
  if (time === undefined || !moment.success) return undefined;
  return time.includes(".") ? moment.data : moment.data + 999;
}

/** https://developer.paypal.com/docs/api/identity/v1/ */
const userinfoCall = (account: Account, accessToken: string): Call =>
  get(under(account, at`/v1/identity/oauth2/userinfo?schema=paypalv1.1`), bearer(accessToken));

const NO_END = "PayPal has no call that ends a consent";
const DESTROYED = "the tokens held here are destroyed, and the person can remove the consent in the PayPal account";

/** Unconfirmed: PayPal's reference does not have this call, which is in wide use; so nothing but a word in the receipt hangs on it. */
const terminateCall = (account: Account, accessToken: string): Call =>
  postForm(
    under(account, at`/v1/oauth2/token/terminate`),
    { accept: "application/json", authorization: basic(account.clientId, account.clientSecret) },
    [
      ["token", accessToken],
      ["token_type_hint", "ACCESS_TOKEN"],
    ],
  );

type Account = SettingValues<typeof settings>;
type Auth = ReturnType<typeof bearer>;

function under({ environment }: Account, path: Address): Address {
  const origin = environment === "sandbox" ? at`https://api-m.sandbox.paypal.com` : at`https://api-m.paypal.com`;
  return { url: origin.url + path.url, template: origin.template + path.template };
}

/** By RFC 7617 alone (`curl -u`), without the escapes of RFC 6749 section 2.3.1. https://developer.paypal.com/api/rest/authentication/ */
const tokenCall = (account: Account): Call =>
  postForm(
    under(account, at`/v1/oauth2/token`),
    { authorization: `Basic ${btoa(`${account.clientId}:${account.clientSecret}`)}` },
    [["grant_type", "client_credentials"]],
  );

function* methodsOf(customer: string, account: Account, auth: Auth): Steps<Answer> {
  const ids: string[] = [];
  for (let page = 1; page <= PAGES; page++) {
    const numbers = { size: String(PAGE), page: String(page) };
    const list = at`/v3/vault/payment-tokens?customer_id=${{ customer }}&page_size=${{ size: numbers.size }}&page=${{ page: numbers.page }}`;
    const methods = read(yield get(under(account, list), auth), Methods);
    if (!methods.ok) return methods.problem;
    ids.push(...methods.value.payment_tokens.map(({ id }) => id));
    if (methods.value.payment_tokens.length < PAGE) break;
  }
  return found([...new Set(ids)].map((value) => ({ type: "paypal.payment_token", value })));
}

function* remove(method: string, account: Account, auth: Auth): Steps<Answer> {
  const reply = yield del(under(account, at`/v3/vault/payment-tokens/${{ method }}`), auth);
  if (reply.status === 204) return erased;
  if (reply.status !== 404) return unforeseen(reply);
  // Unconfirmed: 404, which is documented for reading one and not for deleting it. So it is read.
  const sight = yield* seen(method, account, auth);
  if (sight === "absent") return notFound;
  return typeof sight === "string" ? unforeseen(reply) : sight;
}

function* seen(method: string, account: Account, auth: Auth): Steps<Sight> {
  const reply = yield get(under(account, at`/v3/vault/payment-tokens/${{ method }}`), auth);
  if (reply.status === 404) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply);
}
