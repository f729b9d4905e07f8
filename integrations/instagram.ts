import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { optional, secret } from "../src/contract/settings.ts";
import { json, type SignalType, UnixSeconds, type VendorEvent, withinSecond } from "../src/contract/signal.ts";

/**
 * Instagram API with Instagram Login: owners of professional accounts grant the tenant's app access.
 * It tells us when a person removes the app, asks for deletion or takes back a message. There is nothing that we can tell it
 * with the app's own credentials.
 */
const DELETION = "https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback";
const LOGIN =
  "https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login";
const WEBHOOKS = "https://developers.facebook.com/docs/instagram-platform/webhooks";

/** `user_id` is text; old data of Meta's SDKs shows it as a number too. */
const Payload = z.object({
  user_id: z.union([z.string().min(1), z.int().positive()]).transform(String),
  issued_at: UnixSeconds,
});

const callback = (type: SignalType) => ({
  verify: { scheme: "signed-request", key: "appSecret" } as const,
  contentTypes: ["application/x-www-form-urlencoded"] as const,
  // There is no delivery id: the same person asking at the same second is the same delivery.
  read: json(Payload, ({ user_id, issued_at }) => [
    {
      id: `${user_id}:${issued_at}`,
      name: type,
      signals: [{ type, identity: { type: "instagram.user_id", value: user_id }, at: withinSecond(issued_at) }],
    },
  ]),
  retriesForHours: "unknown" as const,
});

/** Whole seconds in some of Meta's examples and milliseconds in others: no date of ours has so few milliseconds. */
const Time = z
  .int()
  .nonnegative()
  .max(8_640_000_000_000_000)
  .transform((time) => (time < 100_000_000_000 ? withinSecond(time) : time));

const Update = z.object({
  object: z.string(),
  entry: z.array(
    z.object({
      id: z.union([z.string().min(1), z.int().positive()]).transform(String),
      time: Time,
      changes: z.array(z.object({ field: z.string() })).optional(),
      messaging: z
        .array(
          z.object({
            timestamp: Time.optional(),
            // Unconfirmed: `is_deleted` marks every message that was taken back, as receivers of others read it.
            message: z.object({ mid: z.string().min(1), is_deleted: z.boolean().optional() }).optional(),
          }),
        )
        .optional(),
    }),
  ),
});
type Update = z.infer<typeof Update>;

/** Meta's page of examples prints the body in a list; the guides, and all other Graph webhooks, without. */
const Body = z.union([Update.transform((update) => [update]), z.array(Update).min(1)]);

function eventsOf({ object, entry }: Update): VendorEvent[] {
  return entry.flatMap(({ id, time, changes = [], messaging = [] }) => [
    ...changes.map(
      ({ field }): VendorEvent => ({ id: `${id}:${time}:${field}`, name: `${object}.${field}`, signals: [] }),
    ),
    ...messaging.map(({ message, timestamp = time }): VendorEvent => {
      if (message?.is_deleted !== true)
        return { id: `${id}:${timestamp}:${message?.mid ?? ""}`, name: `${object}.messaging`, signals: [] };
      const identity = { type: "instagram.message", value: message.mid };
      return {
        // A message is taken back once.
        id: `deleted:${message.mid}`,
        name: "messages.is_deleted",
        signals: [{ type: "content_deleted", identity, at: timestamp }],
      };
    }),
  ]);
}

export const instagram = defineIntegration({
  id: "instagram",
  name: "Instagram",
  about: "Platform access to professional accounts under a person's grant.",
  origins: [],
  settings: {
    // Unconfirmed: whether this one signs the callbacks and webhooks, or the Meta app's own. A setting holds several
    // secrets and each is tried, so both readings are served by filling in both.
    appSecret: secret("Instagram app secret; add the Meta app's own after it"),
    verifyToken: optional(secret("Verify token of the webhooks product")),
  },
  identities: {
    "instagram.user_id": "Instagram-scoped user id, as it came with the token",
    "instagram.message": "Id of a direct message (mid)",
  },

  hooks: {
    "data-deletion": {
      ...callback("erasure_requested"),
      source: DELETION,
      authority: { erasure_requested: "everywhere" },
      answer: ({ statusUrl, code }) => ({ url: statusUrl, confirmation_code: code }),
      events: ["data_deletion"],
    },
    deauthorize: {
      ...callback("deauthorized"),
      source: LOGIN,
      authority: { deauthorized: "here" },
      // Unconfirmed: which body Meta expects; its documents ask for none and name 200 as the safe answer.
      answer: () => ({}),
      events: ["deauthorize"],
    },
    webhooks: {
      source: WEBHOOKS,
      verify: {
        scheme: "hmac",
        key: "appSecret",
        hash: "SHA-256",
        signature: { header: "x-hub-signature-256", encoding: "hex", prefix: "sha256=" },
        over: ["body"],
      },
      contentTypes: ["application/json"],
      read: json(Body, (updates) => updates.flatMap(eventsOf)),
      authority: { content_deleted: "record" },
      challenges: [
        {
          ask: "query",
          name: "hub.challenge",
          shape: /[\w-]+/,
          token: { name: "hub.verify_token", key: "verifyToken" },
          answer: { give: "value" },
          source: WEBHOOKS,
        },
      ],
      answer: 200,
      retriesForHours: 36,
      events: ["messages.is_deleted"],
    },
  },

  oauth: absent("not yet connected by Quittance", LOGIN),

  actions: {
    erase: absent("Meta offers no API that erases what it holds about a person as their own controller", DELETION),
    // Without instructions: only the person can remove the app, in Instagram's own settings.
    revoke: absent("Meta documents no call that ends a grant of Instagram Login, with any token", LOGIN),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
