import { z } from "zod";
import { absent, defineIntegration, type Hook } from "../src/contract/integration.ts";
import { secret } from "../src/contract/settings.ts";
import { json, type Proven, parse, type Reading, Rfc3339, type SignalType } from "../src/contract/signal.ts";

/**
 * Zoom: people, or an account for all its people, add the tenant's app.
 * It tells us when the app is removed, and when a user is deleted, deactivated or leaves an account. The call by which apps
 * once confirmed a deletion is retired.
 */
const WEBHOOKS = "https://developers.zoom.us/docs/api/webhooks/";
const USERS = "https://developers.zoom.us/docs/api/users/events/";
const DEAUTHORIZATION = "https://developers.zoom.us/docs/integrations/oauth/";

const Text = z.string().min(1);
const Millis = z.int().nonnegative().max(8_640_000_000_000_000);

const Removed = z.object({
  event: z.literal("app_deauthorized"),
  event_ts: Millis.nullish(),
  payload: z.object({
    user_id: Text,
    account_id: Text,
    deauthorization_time: Rfc3339.nullish().catch(undefined),
    event_ts: Millis.nullish(),
  }),
});
const Other = z.object({ event: Text, event_ts: Millis.nullish() });
const Deauthorization = z.union([Removed, Other.refine(({ event }) => event !== "app_deauthorized")]);

/** Leaving an account, or being deactivated in it, is no deletion: the person goes on as a user. */
const MEANINGS = {
  "user.deleted": "account_deleted",
  "user.disassociated": "account_disabled",
  "user.deactivated": "account_disabled",
  "user.activated": "account_restored",
} as const satisfies Record<string, SignalType>;
const NAMES = Object.keys(MEANINGS) as (keyof typeof MEANINGS)[]; // the keys of a constant are what it says

const Changed = z.object({
  event: z.enum(NAMES),
  event_ts: Millis,
  payload: z.object({ account_id: Text, object: z.object({ id: Text }) }),
});
const isName = (event: string): event is (typeof NAMES)[number] => Object.hasOwn(MEANINGS, event);
const UserEvent = z.union([Changed, Other.refine(({ event }) => !isName(event))]);

const ignored = ({ event, event_ts }: z.infer<typeof Other>, receivedAt: number): Reading => [
  { id: `${event}:${event_ts ?? receivedAt}`, name: event, signals: [] },
];

/**
 * The secret token also signs deliveries, so nothing is answered that Zoom has not signed, and no value that could be the
 * text of a delivery: that has colons.
 */
const Validation = z.object({
  event: z.literal("endpoint.url_validation"),
  payload: z.object({ plainToken: z.string() }),
});
function plainTokenIn({ text }: Proven): string | undefined {
  const read = parse(Validation, text);
  return read.ok ? read.value.payload.plainToken : undefined;
}

const endpoint = {
  verify: {
    scheme: "hmac",
    hash: "SHA-256",
    key: "secretToken",
    signature: { header: "x-zm-signature", encoding: "hex", prefix: "v0=" },
    over: [{ text: "v0:" }, { header: "x-zm-request-timestamp" }, { text: ":" }, "body"],
    // No age: Zoom states none, repeats for 85 minutes, and whether a repeat has a new time is unconfirmed.
  },
  contentTypes: ["application/json"],
  // When the address is saved, and every 72 hours.
  challenges: [
    {
      ask: "delivery",
      find: plainTokenIn,
      shape: /[\w-]{1,128}/,
      answer: {
        give: "hmac",
        key: "secretToken",
        encoding: "hex",
        body: (plainToken, encryptedToken) => ({ plainToken, encryptedToken }),
      },
      source: `${WEBHOOKS}#validate-your-webhook-endpoint`,
    },
  ],
  // "200 or 204" within three seconds.
  answer: 200,
  // After 5, 20 and 60 minutes.
  retriesForHours: 1.5,
} satisfies Partial<Hook>;

export const zoom = defineIntegration({
  id: "zoom",
  name: "Zoom",
  about: "Meetings: people and accounts add the tenant's app.",
  origins: [],
  settings: { secretToken: secret("Secret token of the app") },
  identities: { "zoom.user": "User id" },

  hooks: {
    deauthorization: {
      ...endpoint,
      source: DEAUTHORIZATION,
      read: json(Deauthorization, (body, { receivedAt }) => {
        if (!("payload" in body)) return ignored(body, receivedAt);
        const { user_id: value, account_id, deauthorization_time, event_ts } = body.payload;
        const at = deauthorization_time ?? body.event_ts ?? event_ts ?? receivedAt;
        const identity = { type: "zoom.user", value };
        return [
          {
            // No id is signed.
            id: `app_deauthorized:${account_id}:${value}:${at}`,
            name: "app_deauthorized",
            signals: [{ type: "deauthorized", identity, at }],
          },
        ];
      }),
      authority: { deauthorized: "here" },
      events: ["app_deauthorized"],
    },
    events: {
      ...endpoint,
      source: USERS,
      read: json(UserEvent, (body, { receivedAt }) => {
        if (!("payload" in body)) return ignored(body, receivedAt);
        const { event, event_ts: at, payload } = body;
        const { id: value } = payload.object;
        const identity = { type: "zoom.user", value };
        return [
          {
            id: `${event}:${at}:${payload.account_id}:${value}`,
            name: event,
            signals: [{ type: MEANINGS[event], identity, at }],
          },
        ];
      }),
      authority: { account_deleted: "here", account_disabled: "record", account_restored: "record" },
      events: NAMES,
    },
  },

  oauth: absent("not yet connected by Quittance", DEAUTHORIZATION),

  actions: {
    erase: absent(
      "deleting a Zoom user or a recording is for the administrator of the person's account, not for an app",
      "https://developers.zoom.us/docs/api/users/",
      "Where the person was a user, registrant or participant of your own Zoom account: delete the recordings of their meetings, and then from the trash, which otherwise keeps them for thirty days; remove their registrations for webinars and meetings; for a user, an administrator chooses Delete under User Management > Users, since Unlink leaves the account. What lies in other people's accounts is theirs to erase.",
    ),
    revoke: absent("needs the person's token, which connections will hold", DEAUTHORIZATION),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
