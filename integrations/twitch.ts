import { z } from "zod";
import { at, get, postForm, read, readRefusal, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Steps } from "../src/contract/integration.ts";
import { accountIn, CONNECTION, type Grant, grantOf, type TokenAnswer } from "../src/contract/oauth.ts";
import { notFound, revoked, type Sight } from "../src/contract/outcome.ts";
import { optional, secret, text } from "../src/contract/settings.ts";
import { json, type Proven, parse, type Reading, Rfc3339, type SignalType } from "../src/contract/signal.ts";

/**
 * Twitch: people connect their account with the tenant's app.
 * It tells us when a person disconnects, and when a subscription ends because its user no longer exists or took the
 * authorisation back. It can be told nothing but to revoke a token.
 *
 * The kind of a message stands in a header that is not signed, so it is told by the body: a challenge has one, a notification
 * has an event, and what has neither says that the subscription ended.
 */
const WEBHOOKS = "https://dev.twitch.tv/docs/eventsub/handling-webhook-events/";
const TOKENS = "https://dev.twitch.tv/docs/authentication/getting-tokens-oauth/";
const REFRESH = "https://dev.twitch.tv/docs/authentication/refresh-tokens/";
const REVOKE = "https://dev.twitch.tv/docs/authentication/revoke-tokens/";

const MESSAGE_ID = "twitch-eventsub-message-id";
const MESSAGE_TIME = "twitch-eventsub-message-timestamp";

const UserId = z.string().regex(/^\d{1,20}$/);
const Text = z.string().min(1);

const Subscription = z.object({
  type: Text,
  status: Text,
  condition: z.record(z.string(), z.unknown()).nullish(),
});

const Body = z
  .object({
    subscription: Subscription,
    event: z.looseObject({ user_id: UserId.nullish().catch(undefined) }).nullish(),
    challenge: z.string().nullish(),
  })
  // Logins may be null when the person no longer exists; the id stays.
  .refine(({ subscription, event }) => !isRevoke(subscription) || event == null || event.user_id != null, {
    path: ["event", "user_id"],
  });
type Body = z.infer<typeof Body>;

const isRevoke = ({ type }: z.infer<typeof Subscription>) => type === "user.authorization.revoke";

const ENDS: ReadonlyMap<string, SignalType> = new Map([
  ["user_removed", "account_deleted"],
  ["authorization_revoked", "deauthorized"],
]);

function meaning({ subscription, event, challenge }: Body, { signed, receivedAt }: Proven): Reading {
  const id = signed(MESSAGE_ID) ?? "";
  const time = Rfc3339.safeParse(signed(MESSAGE_TIME));
  const at = time.success ? time.data : receivedAt;
  const one = (name: string, type?: SignalType, value?: string): Reading => [
    {
      id,
      name,
      signals:
        type === undefined || value === undefined ? [] : [{ type, identity: { type: "twitch.user", value }, at }],
    },
  ];
  if (challenge != null) return one("challenge");
  if (event != null)
    return isRevoke(subscription)
      ? one(subscription.type, "deauthorized", event.user_id ?? undefined)
      : one(subscription.type);
  const { status, condition } = subscription;
  return one(`revocation.${status}`, ENDS.get(status), onlyUserIn(condition ?? {}));
}

/** Whom a subscription was about, where its condition names just one: of two, nobody says which it was. */
function onlyUserIn(condition: Readonly<Record<string, unknown>>): string | undefined {
  const named = Object.entries(condition).filter(([name]) => /(^|_)user_id$/.test(name));
  const [only, ...others] = new Set(named.map(([, value]) => value).filter((value) => value !== ""));
  const user = UserId.safeParse(only);
  return others.length === 0 && user.success ? user.data : undefined;
}

const Verification = z.object({
  challenge: z.string(),
  subscription: Subscription,
  event: z.undefined().optional(),
});
function challengeIn({ text }: Proven): string | undefined {
  const read = parse(Verification, text);
  return read.ok ? read.value.challenge : undefined;
}

const settings = {
  subscriptionSecret: secret("Secret of the EventSub subscriptions", /^[\x20-\x7e]{10,100}$/),
  clientId: optional(text("Client ID of the application", /^[a-z0-9]{20,40}$/)),
  clientSecret: optional(secret("Client secret of the application")),
};

/** Refusals have a message in place of an error; scopes come as a list, in some examples as text. */
function adapt({ status, json }: TokenAnswer): TokenAnswer {
  const { scope, message } = json;
  if (status === 400 && typeof message === "string" && /^invalid (authorization code|refresh token)$/i.test(message))
    return { status, json: { error: "invalid_grant" } };
  return { status, json: Array.isArray(scope) ? { ...json, scope: scope.join(" ") } : json };
}

/** A token is shown to Twitch with a scheme of its own. */
const validation = ({ accessToken }: Pick<Grant, "accessToken">) =>
  get(at`https://id.twitch.tv/oauth2/validate`, { authorization: `OAuth ${accessToken}` }, { expects: [401] });

function* sightOf(grant: Grant): Steps<Sight> {
  const reply = yield validation(grant);
  if (reply.status === 401) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply);
}

const InvalidToken = z.object({ message: z.string().regex(/^invalid token$/i) });

export const twitch = defineIntegration({
  id: "twitch",
  name: "Twitch",
  about: "Streaming: people connect their account with the tenant's app.",
  origins: ["https://id.twitch.tv"],
  settings,
  identities: { "twitch.user": "User id, a number as text" },

  hooks: {
    eventsub: {
      source: WEBHOOKS,
      verify: {
        scheme: "hmac",
        hash: "SHA-256",
        key: "subscriptionSecret",
        signature: { header: "twitch-eventsub-message-signature", encoding: "hex", prefix: "sha256=" },
        over: [{ header: MESSAGE_ID }, { header: MESSAGE_TIME }, "body"],
        // Twitch's own rule: https://dev.twitch.tv/docs/eventsub/#guarding-against-replay-attacks
        fresh: { at: { header: MESSAGE_TIME }, unit: "rfc3339", withinSeconds: 600 },
      },
      contentTypes: ["application/json"],
      challenges: [
        {
          ask: "delivery",
          find: challengeIn,
          shape: /[\w.~-]{1,256}/,
          answer: { give: "value" },
          source: `${WEBHOOKS}#responding-to-a-challenge-request`,
        },
      ],
      read: json(Body, meaning),
      authority: { deauthorized: "here", account_deleted: "here" },
      answer: 204,
      refusal: { status: 403, source: `${WEBHOOKS}#verifying-the-event-message` },
      // It is sent again with the same id; for how long is not said.
      retriesForHours: "unknown",
      events: ["user.authorization.revoke", "revocation.user_removed", "revocation.authorization_revoked"],
    },
  },

  oauth: {
    source: TOKENS,
    server: {
      issuer: "https://id.twitch.tv/oauth2",
      authorize: "https://id.twitch.tv/oauth2/authorize",
      token: "https://id.twitch.tv/oauth2/token",
    },
    client: { id: "clientId", secret: "clientSecret", by: "post" },
    pkce: absent("its pages name no parameters for it", TOKENS),
    // A scope has to be asked for; this one gives nothing but the id.
    scopes: { standard: ["openid"] },
    adapt,
    *account(fresh) {
      const token = read(yield validation(fresh), z.looseObject({ user_id: UserId }));
      return token.ok ? accountIn("twitch.user", token.value, "user_id") : token;
    },
    refresh: { source: REFRESH },
    // Subscriptions that fail end without a word, and Twitch wants tokens validated.
    *alive({ grant }) {
      const sight = yield* sightOf(grant);
      if (sight === "absent") return "ended";
      return sight === "present" || sight === "no_view" ? "alive" : sight;
    },
    kills: "grant",
    // "400 Bad Request if the client ID is valid but the access token is not", which an expired one is not.
    revokesWithAccess: true,
  },

  actions: {
    erase: absent("Twitch offers no API that erases what it holds about a person", WEBHOOKS),
    revoke: {
      source: REVOKE,
      by: [CONNECTION],
      each: "identity",
      // Unconfirmed: that the refresh token ends with the access token; only this one can be revoked.
      *run(order) {
        const reply = yield postForm(at`https://id.twitch.tv/oauth2/revoke`, {}, [
          ["client_id", order.settings.clientId],
          ["token", grantOf(order).accessToken],
        ]);
        if (reply.status === 200) return revoked;
        return reply.status === 400 && readRefusal(reply, InvalidToken).ok ? notFound : unforeseen(reply);
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          return yield* sightOf(grantOf(order));
        },
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
