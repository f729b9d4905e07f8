import { z } from "zod";
import { at, bearer, get, postForm, type Reply, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Hook } from "../src/contract/integration.ts";
import { accountIn, basic, CONNECTION, grantOf } from "../src/contract/oauth.ts";
import { notFound, revoked, type Unforeseen } from "../src/contract/outcome.ts";
import { optional, secret, text } from "../src/contract/settings.ts";
import { json, type Proven, parse, type Reading, Rfc3339, type SignalType } from "../src/contract/signal.ts";

/**
 * Zoom: people, or an account for all its people, add the tenant's app.
 * It tells us when the app is removed, and when a user is deleted, deactivated or leaves an account. The call by which apps
 * once confirmed a deletion is retired. What a person granted, we take back.
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

const settings = {
  secretToken: secret("Secret token of the app"),
  clientId: optional(text("Client ID of the app", /^[\w-]{10,64}$/)),
  clientSecret: optional(secret("Client secret of the app")),
};

const Me = z.looseObject({ id: Text });
const Revoked = z.object({ status: z.literal("success") });

const meCall = (accessToken: string) =>
  get(at`https://api.zoom.us/v2/users/me`, bearer(accessToken), { expects: [401] });

/** Zoom's APIs answer 401 to a token that is no good. */
function tokenSeen(reply: Reply): "absent" | "present" | Unforeseen {
  if (reply.status === 401) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply);
}

export const zoom = defineIntegration({
  id: "zoom",
  name: "Zoom",
  about: "Meetings: people and accounts add the tenant's app.",
  origins: ["https://zoom.us", "https://api.zoom.us"],
  settings,
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

  oauth: {
    source: DEAUTHORIZATION,
    server: {
      issuer: "https://zoom.us",
      authorize: "https://zoom.us/oauth/authorize",
      token: "https://zoom.us/oauth/token",
    },
    client: { id: "clientId", secret: "clientSecret", by: "basic" },
    pkce: "S256",
    // Scopes are chosen in the app's settings.
    scopes: { standard: [] },
    *account({ accessToken }) {
      const me = read(yield meCall(accessToken), Me);
      return me.ok ? accountIn("zoom.user", me.value, "id") : me;
    },
    refresh: { source: DEAUTHORIZATION },
    // Apps that are not published are not told of their removal.
    *alive({ grant }) {
      const sight = tokenSeen(yield meCall(grant.accessToken));
      if (sight === "absent") return "ended";
      return sight === "present" ? "alive" : sight;
    },
    kills: "grant",
    revokesWithAccess: true,
  },

  actions: {
    erase: absent(
      "deleting a Zoom user or a recording is for the administrator of the person's account, not for an app",
      "https://developers.zoom.us/docs/api/users/",
    ),
    revoke: {
      source: DEAUTHORIZATION,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const { accessToken } = grantOf(order);
        const { clientId, clientSecret } = order.settings;
        // What the other call answers to a token that is dead is not documented, so this one is asked first.
        const sight = tokenSeen(yield meCall(accessToken));
        if (sight === "absent") return notFound;
        if (sight !== "present") return sight;
        const headers = { accept: "application/json", authorization: basic(clientId, clientSecret) };
        const reply = yield postForm(at`https://zoom.us/oauth/revoke`, headers, [["token", accessToken]]);
        const done = read(reply, Revoked);
        return done.ok ? revoked : done.problem;
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          return tokenSeen(yield meCall(grantOf(order).accessToken));
        },
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
