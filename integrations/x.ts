import { z } from "zod";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { CONNECTION, grantOf, revokeTokens } from "../src/contract/oauth.ts";
import { type Answer, notFound } from "../src/contract/outcome.ts";
import { optional, secret, text } from "../src/contract/settings.ts";
import { json, type VendorEvent } from "../src/contract/signal.ts";
import { A_DAY, compliance, deleted, Id, streams, Time } from "./houses/x.ts";
import { adapt, ownerOf, sightOf, unsubscribe } from "./houses/x-grants.ts";
import { sightOfPost, unpublishPost } from "./houses/x-posts.ts";

/**
 * X (Twitter): people grant the tenant's app access to their account.
 * It tells us when a person revokes the app or deletes a post; that an account was deleted or suspended only by streams, which
 * Enterprise customers may read, and to everybody in the files of batch compliance jobs about ids that they hold. We can end
 * a grant, and with it what is subscribed to about that person.
 */
const WEBHOOKS = "https://docs.x.com/x-api/webhooks/quickstart";
const OAUTH = "https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token";
const CODE = "https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code";
const POSTS = "https://docs.x.com/x-api/posts/delete-post";

const REVOKE = "oauth.revoke";
const DELETE = "post.delete";

/** https://docs.x.com/x-api/activity/event-payloads; `event_uuid` may be negative. */
const Activity = z.union([
  z.object({ event_type: z.literal(REVOKE), payload: z.object({ user_id: Id, date_time: Time }) }),
  z.object({ event_type: z.literal(DELETE), payload: z.object({ id: Id }) }),
  z.object({
    event_type: z.string().refine((type) => type !== REVOKE && type !== DELETE),
    event_uuid: z.union([z.string().min(1), z.number()]).transform(String),
  }),
]);
type Activity = z.infer<typeof Activity>;

/** One of the two, by what it holds: the X Activity API's envelope, or that of the older Account Activity API. */
const Delivery = z.object({
  data: Activity.optional(),
  /** https://docs.x.com/x-api/account-activity/introduction; this one has no `for_user_id`. */
  user_event: z
    .object({ revoke: z.object({ date_time: Time, source: z.object({ user_id: Id }) }).optional() })
    .optional(),
  tweet_delete_events: z
    .array(
      z.object({
        status: z.object({ id: Id }),
        timestamp_ms: z
          .string()
          .regex(/^\d{1,13}$/)
          .transform(Number)
          .optional(),
      }),
    )
    .optional(),
});

/**
 * A revocation or a deletion may be told by both APIs, and more than once: `event_uuid` is "of this event delivery". So it is
 * known by what happened. A post is deleted once, and a grant once at a time.
 */
const revoked = (name: string, user: string, at: number): VendorEvent => ({
  id: `${REVOKE}:${user}:${at}`,
  name,
  signals: [{ type: "deauthorized", identity: { type: "x.user_id", value: user }, at }],
});

function said(activity: Activity, receivedAt: number): VendorEvent {
  if (!("payload" in activity)) return { id: activity.event_uuid, name: activity.event_type, signals: [] };
  if (activity.event_type === DELETE) return deleted(DELETE, activity.payload.id, receivedAt);
  return revoked(REVOKE, activity.payload.user_id, activity.payload.date_time);
}

const settings = {
  consumerSecret: secret("API key secret (the OAuth 1.0a consumer secret)"),
  appId: optional(text("App id: revocations that name another are refused", /^\d{1,20}$/)),
  clientId: optional(text("OAuth 2.0 client id")),
  clientSecret: optional(secret("OAuth 2.0 client secret")),
  bearerToken: optional(secret("App-only bearer token, to end subscriptions to a person's events")),
  complianceToken: optional(
    secret("App-only bearer token of an app with Enterprise access, to read the compliance streams", /^[\x21-\x7e]+$/),
  ),
};

function* revocation(order: Order<typeof settings>): Steps<Answer> {
  const { accessToken, account } = grantOf(order);
  const { bearerToken, clientId: id, clientSecret } = order.settings;
  if (bearerToken !== "" && account.type === "x.user_id") {
    const problem = yield* unsubscribe(bearerToken, account.value);
    if (problem !== undefined) return problem;
  }
  // Each token by itself: no page says that one takes the other with it.
  const client = { id, secret: clientSecret, by: "basic" } as const;
  const answer = yield* revokeTokens("https://api.x.com/2/oauth2/revoke", grantOf(order), client);
  if (answer.outcome !== "unforeseen" || answer.status !== 400) return answer;
  // Unconfirmed: what is answered for a token that is dead. RFC 7009 wants 200; where it is a refusal, the token says whether it is.
  return (yield* sightOf(accessToken)) === "absent" ? notFound : answer;
}

export const x = defineIntegration({
  id: "x",
  name: "X",
  about: "Platform access to an account under a person's grant.",
  origins: ["https://api.x.com"],
  settings,
  identities: {
    "x.user_id": "User id, which stays when the handle changes",
    "x.post": "Post id",
  },

  hooks: {
    webhooks: {
      source: WEBHOOKS,
      verify: {
        scheme: "hmac",
        key: "consumerSecret",
        hash: "SHA-256",
        signature: { header: "x-twitter-webhooks-signature", encoding: "base64", prefix: "sha256=" },
        over: ["body"],
        expects: [
          { at: ["data", "payload", "app_id"], setting: "appId" },
          { at: ["user_event", "revoke", "target", "app_id"], setting: "appId" },
        ],
      },
      contentTypes: ["application/json"],
      read: json(Delivery, ({ data, user_event, tweet_delete_events = [] }, { receivedAt }) => {
        if (data !== undefined) return [said(data, receivedAt)];
        const events = tweet_delete_events.map(({ status, timestamp_ms = receivedAt }) =>
          deleted("tweet_delete_events", status.id, timestamp_ms),
        );
        const revoke = user_event?.revoke;
        if (revoke !== undefined) events.push(revoked("user_event.revoke", revoke.source.user_id, revoke.date_time));
        return events.length > 0 ? events : [{ id: "account_activity", name: "account_activity", signals: [] }];
      }),
      authority: { deauthorized: "here", content_deleted: "record" },
      deadlines: { deauthorized: A_DAY, content_deleted: A_DAY },
      challenges: [
        {
          ask: "query",
          name: "crc_token",
          // The key that answers also signs deliveries, so that nothing is answered which could be one.
          shape: /[\w=-]+/,
          answer: {
            give: "hmac",
            key: "consumerSecret",
            encoding: "base64",
            body: (_, mac) => ({ response_token: `sha256=${mac}` }),
          },
          source: WEBHOOKS,
        },
      ],
      answer: 200,
      // The Account Activity API tries three times more within five minutes; the X Activity API does not say.
      retriesForHours: "unknown",
      events: [REVOKE, DELETE, "user_event.revoke", "tweet_delete_events"],
    },
  },

  lists: compliance,
  streams,

  oauth: {
    source: OAUTH,
    server: {
      issuer: "https://x.com",
      authorize: "https://x.com/i/oauth2/authorize",
      token: "https://api.x.com/2/oauth2/token",
    },
    client: { id: "clientId", secret: "clientSecret", by: "basic" },
    pkce: "S256",
    // X's own read of whose account it is wants both; without the last one, access ends after two hours.
    scopes: { standard: ["users.read", "tweet.read", "offline.access"] },
    adapt,
    account: ({ accessToken }) => ownerOf(accessToken),
    refresh: { source: CODE },
    // Asked although there is a hook: the description of X's API does not let `oauth.revoke` be subscribed to.
    *alive({ grant }) {
      const sight = yield* sightOf(grant.accessToken);
      if (sight === "absent") return "ended";
      return sight === "present" || sight === "no_view" ? "alive" : sight;
    },
    kills: "grant",
  },

  actions: {
    erase: absent("what people have posted is their own, and X keeps it as their controller", POSTS),
    // 50 deletions in 15 minutes for each user: X then answers 429.
    unpublish: {
      source: POSTS,
      by: ["x.post"],
      each: "identity",
      run: unpublishPost,
      look: { afterSeconds: 5, run: sightOfPost },
    },
    revoke: {
      source: OAUTH,
      by: [CONNECTION],
      each: "identity",
      run: revocation,
      look: {
        afterSeconds: 5,
        run: (order) => sightOf(grantOf(order).accessToken),
      },
    },
  },

  // "Within 24 hours after a written request to do so by X or by the applicable X user."
  requestDeadline: A_DAY,
  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
