import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { text } from "../src/contract/settings.ts";
import { json, Rfc3339 } from "../src/contract/signal.ts";

/**
 * Google Cloud stores files, tables and accounts for the tenant.
 * It tells us what the tenant routes to us by Pub/Sub: that objects in Cloud Storage were deleted. What we can tell it has
 * integrations of its own, each with its settings: google-cloud-storage, google-bigquery, google-identity-platform, google-ai.
 */
const PUSH = "https://docs.cloud.google.com/pubsub/docs/push";
const NOTIFICATIONS = "https://docs.cloud.google.com/storage/docs/pubsub-notifications";
const SERVICE_ACCOUNT = "https://developers.google.com/identity/protocols/oauth2/service-account";

const Time = Rfc3339.optional().catch(undefined);

/** A message as Pub/Sub wraps it. Attributes are the publisher's, so what does not look like Cloud Storage's is only counted. */
const Pushed = z.object({
  message: z.object({
    messageId: z.string().min(1).max(256),
    publishTime: Time,
    attributes: z.record(z.string(), z.string()).default({}),
  }),
  subscription: z.string().min(1).max(512),
});

/** Attributes of Cloud Storage's own messages. What another generation has replaced was overwritten, not deleted. */
const Deleted = z.object({
  eventType: z.literal("OBJECT_DELETE"),
  bucketId: z.string().min(1),
  objectId: z.string().min(1),
  eventTime: Time,
  overwrittenByGeneration: z.undefined().optional(),
});

/** An object's name may have 1,024 bytes, and an identity has room for half of that. */
const LONGEST = 512;

export const googleCloud = defineIntegration({
  id: "google-cloud",
  name: "Google Cloud",
  about: "Stores files, tables and accounts for the tenant.",
  origins: ["https://www.googleapis.com"],
  settings: {
    serviceAccount: text("Service account of the push subscription", /^[^@\s]+@[^@\s]+\.gserviceaccount\.com$/),
  },
  identities: { "google-cloud.object": "An object in Cloud Storage: gs://bucket/name" },

  hooks: {
    "pub-sub": {
      source: PUSH,
      verify: {
        scheme: "jwt",
        at: { bearer: "authorization" },
        keys: "https://www.googleapis.com/oauth2/v3/certs",
        algorithms: ["RS256"],
        issuer: ["https://accounts.google.com", "accounts.google.com"],
        // What a subscription has if it names none. Anybody at Google can have a token made for this address, so it is the
        // service account that says who sent it.
        audience: "url",
        claims: { email: { setting: "serviceAccount" }, email_verified: true },
        expires: true,
      },
      contentTypes: ["application/json"],
      // The token does not cover the body and serves for many messages: a message is known by its own id.
      read: json(Pushed, ({ message: { messageId, publishTime, attributes }, subscription }, { receivedAt }) => {
        const id = `${subscription} ${messageId}`;
        const name = attributes.eventType ?? "message";
        const deleted = Deleted.safeParse(attributes);
        if (!deleted.success) return [{ id, name, signals: [] }];
        const { bucketId, objectId, eventTime } = deleted.data;
        const value = `gs://${bucketId}/${objectId}`;
        if (value.length > LONGEST) return [{ id, name, signals: [] }];
        const at = Math.min(eventTime ?? publishTime ?? receivedAt, receivedAt);
        return [
          { id, name, signals: [{ type: "content_deleted", identity: { type: "google-cloud.object", value }, at }] },
        ];
      }),
      authority: { content_deleted: "record" },
      // A subscription keeps what was not accepted for seven days unless it says otherwise; at most it may say 31.
      retriesForHours: 31 * 24,
      events: ["OBJECT_DELETE"],
    },
  },

  oauth: absent(
    "its integrations work with service accounts only; people grant Google Cloud nothing here",
    SERVICE_ACCOUNT,
  ),

  actions: {
    erase: absent(
      "each of its stores is an integration of its own: google-cloud-storage, google-bigquery, google-identity-platform, google-ai",
      SERVICE_ACCOUNT,
    ),
    revoke: absent("nothing is granted by a person, so nothing can be revoked", NOTIFICATIONS),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
