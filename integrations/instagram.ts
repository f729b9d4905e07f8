import { z } from "zod";
import { at } from "../src/contract/call.ts";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { CONNECTION } from "../src/contract/oauth.ts";
import { optional, secret, text } from "../src/contract/settings.ts";
import { json, type VendorEvent, withinSecond } from "../src/contract/signal.ts";
import {
  DELETION,
  dataDeletion,
  deauthorize,
  graphAnswer,
  isAlive,
  MetaId,
  noRevocation,
  ownerOf,
  RENEWED_AHEAD_DAYS,
  tokenRead,
  webhooks,
} from "./houses/meta.ts";

/**
 * Instagram API with Instagram Login: owners of professional accounts grant the tenant's app access.
 * It tells us when a person removes the app, asks for deletion or takes back a message. There is nothing that we can tell it:
 * no call ends a grant.
 */
const LOGIN =
  "https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login";
const WEBHOOKS = "https://developers.facebook.com/docs/instagram-platform/webhooks";
const MEDIA = "https://developers.facebook.com/docs/instagram-platform/reference/instagram-media";
const RENEWAL = "https://developers.facebook.com/documentation/instagram-platform/reference/refresh_access_token";

const ME = at`https://graph.instagram.com/v23.0/me?fields=id`;

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
  origins: ["https://api.instagram.com", "https://graph.instagram.com"],
  settings: {
    appId: optional(text("Instagram app id", /^\d{5,20}$/)),
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

  oauth: {
    source: LOGIN,
    server: {
      issuer: "https://www.instagram.com",
      authorize: "https://www.instagram.com/oauth/authorize",
      token: "https://api.instagram.com/oauth/access_token",
    },
    client: { id: "appId", secret: "appSecret", by: "post" },
    pkce: absent("the page describes none", LOGIN),
    scopes: { standard: ["instagram_business_basic"], separator: "," },
    adapt: graphAnswer,
    account: ({ accessToken }) => ownerOf("instagram.user_id", ME, accessToken),
    // From an hour to sixty days.
    lengthen: ({ settings, accessToken }) =>
      tokenRead("https://graph.instagram.com/access_token", {
        grant_type: "ig_exchange_token",
        client_secret: settings.appSecret,
        access_token: accessToken,
      }),
    refresh: {
      source: RENEWAL,
      call: ({ grant }) =>
        tokenRead("https://graph.instagram.com/refresh_access_token", {
          grant_type: "ig_refresh_token",
          access_token: grant.accessToken,
        }),
      aheadDays: RENEWED_AHEAD_DAYS,
    },
    alive: ({ grant }) => isAlive(ME, grant.accessToken),
    kills: "grant",
  },

  actions: {
    erase: absent("Meta offers no API that erases what it holds about a person as their own controller", DELETION),
    unpublish: absent(
      "media can be deleted only by apps that people reach through Facebook Login",
      MEDIA,
      "Ask the person to delete in Instagram what was published for them: open the post, its menu, Delete.",
    ),
    revoke: {
      source: LOGIN,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        return yield* noRevocation(
          ME,
          order,
          "Instagram has no revocation endpoint; the tokens held here are destroyed, and the person can remove the app in Instagram",
        );
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
