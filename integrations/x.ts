import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { optional, secret, text } from "../src/contract/settings.ts";
import { json, type VendorEvent } from "../src/contract/signal.ts";
import { A_DAY, compliance, deleted, Id, Time } from "./houses/x.ts";

/**
 * X (Twitter): people grant the tenant's app access to their account.
 * It tells us when a person revokes the app or deletes a post; that an account was deleted or suspended only by stream, to
 * Enterprise customers, and to everybody in the files of batch compliance jobs about ids that they hold. What we could tell
 * it, the end of a grant and the deletion of a post, needs the person's token.
 */
const WEBHOOKS = "https://docs.x.com/x-api/webhooks/quickstart";
const OAUTH = "https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token";
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

export const x = defineIntegration({
  id: "x",
  name: "X",
  about: "Platform access to an account under a person's grant.",
  origins: [],
  settings: {
    consumerSecret: secret("API key secret (the OAuth 1.0a consumer secret)"),
    appId: optional(text("App id: revocations that name another are refused", /^\d{1,20}$/)),
  },
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

  oauth: absent("not yet connected by Quittance", OAUTH),

  actions: {
    erase: absent("needs the person's token, which connections will hold", POSTS),
    revoke: absent("needs the person's token, which connections will hold", OAUTH),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
