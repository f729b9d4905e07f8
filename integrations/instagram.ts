import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { optional, secret } from "../src/contract/settings.ts";
import { json, type VendorEvent, withinSecond } from "../src/contract/signal.ts";
import { DELETION, dataDeletion, deauthorize, MetaId, webhooks } from "./houses/meta.ts";

/**
 * Instagram API with Instagram Login: owners of professional accounts grant the tenant's app access.
 * It tells us when a person removes the app, asks for deletion or takes back a message. There is nothing that we can tell it
 * with the app's own credentials.
 */
const LOGIN =
  "https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login";
const WEBHOOKS = "https://developers.facebook.com/docs/instagram-platform/webhooks";

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
      id: MetaId,
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
    "data-deletion": dataDeletion("instagram.user_id"),
    deauthorize: deauthorize("instagram.user_id", LOGIN),
    webhooks: webhooks(WEBHOOKS, {
      read: json(Body, (updates) => updates.flatMap(eventsOf)),
      authority: { content_deleted: "record" },
      events: ["messages.is_deleted"],
    }),
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
