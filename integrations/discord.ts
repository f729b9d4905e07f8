import { z } from "zod";
import { at, bearer, get, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Steps } from "../src/contract/integration.ts";
import { accountIn, CONNECTION, errorIn, type Grant, grantOf, tokenCall } from "../src/contract/oauth.ts";
import { revoked, type Sight } from "../src/contract/outcome.ts";
import { optional, secret, text } from "../src/contract/settings.ts";
import { json, type Proven, parse, type Signal } from "../src/contract/signal.ts";

/**
 * Discord: people grant the tenant's app access to their account.
 * It tells us when a person removes the app and, in games with the Social SDK, when messages were deleted. Nothing is told
 * of deleted accounts.
 */
const EVENTS = "https://docs.discord.com/developers/events/webhook-events";
const OAUTH = "https://docs.discord.com/developers/topics/oauth2";

/** Snowflakes are text; as numbers they would lose their last digits. */
const Snowflake = z.string().regex(/^\d{1,20}$/);

/** Discord's examples have no zone; a time without one is UTC. */
const Timestamp = z.iso
  .datetime({ local: true, offset: true })
  .transform((time) => Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`));

const Deauthorized = z.object({
  type: z.literal("APPLICATION_DEAUTHORIZED"),
  timestamp: Timestamp,
  data: z.object({ user: z.object({ id: Snowflake }) }),
});
const MessageDeleted = z.object({
  type: z.enum(["LOBBY_MESSAGE_DELETE", "GAME_DIRECT_MESSAGE_DELETE"]),
  timestamp: Timestamp,
  data: z.object({ id: Snowflake }),
});
const Known = z.discriminatedUnion("type", [Deauthorized, MessageDeleted]);
type Known = z.infer<typeof Known>;

const NAMES: ReadonlySet<string> = new Set([
  "APPLICATION_DEAUTHORIZED",
  "LOBBY_MESSAGE_DELETE",
  "GAME_DIRECT_MESSAGE_DELETE",
]);

/** What matters here has to fit; of what is of another type nothing but the type is read. */
const Body = z.object({
  application_id: Snowflake,
  event: z.union([
    Known,
    z.object({ type: z.string().refine((type) => !NAMES.has(type)), timestamp: z.string().nullish() }),
  ]),
});

const isKnown = (event: z.infer<typeof Body>["event"]): event is Known => NAMES.has(event.type);

function signalOf(event: Known): Signal {
  const at = event.timestamp;
  return event.type === "APPLICATION_DEAUTHORIZED"
    ? { type: "deauthorized", identity: { type: "discord.user", value: event.data.user.id }, at }
    : { type: "content_deleted", identity: { type: "discord.message", value: event.data.id }, at };
}

/** PING has `type` 0, and no event. */
const Ping = z.object({ type: z.literal(0), event: z.undefined().optional() });
const isPing = ({ text }: Proven) => (parse(Ping, text).ok ? "ping" : undefined);

const settings = {
  publicKey: text("Public key of the application", /^[0-9a-fA-F]{64}$/),
  applicationId: optional(
    text("Application id: the OAuth client id, and deliveries that name another are refused", /^\d{1,20}$/),
  ),
  clientSecret: optional(secret("Client secret of the application")),
};

const ME = at`https://discord.com/api/v10/users/@me`;

/** Needs the scope `identify`, which the account is known by. */
function* sightOf({ accessToken }: Grant): Steps<Sight> {
  const reply = yield get(ME, bearer(accessToken), { expects: [401] });
  if (reply.status === 401) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply);
}

export const discord = defineIntegration({
  id: "discord",
  name: "Discord",
  about: "Communities and chat: people grant the tenant's app access to their account.",
  origins: ["https://discord.com"],
  settings,
  identities: { "discord.user": "User id, a snowflake", "discord.message": "Message id, a snowflake" },

  hooks: {
    events: {
      source: EVENTS,
      verify: {
        scheme: "ed25519",
        key: "publicKey",
        signature: { header: "x-signature-ed25519", encoding: "hex" },
        over: [{ header: "x-signature-timestamp" }, "body"],
        expects: [{ at: ["application_id"], setting: "applicationId" }],
        // No age: Discord states none, repeats for ten minutes, and whether a repeat has a new time is unconfirmed.
      },
      contentTypes: ["application/json"],
      challenges: [
        { ask: "delivery", find: isPing, shape: /ping/, answer: { give: "nothing", status: 204 }, source: EVENTS },
      ],
      read: json(Body, ({ application_id, event }, { receivedAt }) => {
        const time = event.timestamp ?? receivedAt;
        if (!isKnown(event)) return [{ id: `${application_id}:${event.type}:${time}`, name: event.type, signals: [] }];
        const signal = signalOf(event);
        // No id is sent: the same of the same person or message at the same microsecond is the same event.
        const id = `${application_id}:${event.type}:${time}:${signal.identity.value}`;
        return [{ id, name: event.type, signals: [signal] }];
      }),
      authority: { deauthorized: "here", content_deleted: "record" },
      answer: 204,
      // Discord sends wrong signatures on purpose, and takes the address away that does not refuse them so.
      refusal: { status: 401, source: EVENTS },
      // Ten minutes.
      retriesForHours: 0.2,
      events: [
        "APPLICATION_DEAUTHORIZED",
        "APPLICATION_AUTHORIZED",
        "LOBBY_MESSAGE_DELETE",
        "GAME_DIRECT_MESSAGE_DELETE",
      ],
    },
  },

  oauth: {
    source: OAUTH,
    // Its own description (https://discord.com/.well-known/oauth-authorization-server) says what its pages do not: S256, and
    // that each callback names the issuer.
    server: {
      issuer: "https://discord.com",
      authorize: "https://discord.com/oauth2/authorize",
      token: "https://discord.com/api/oauth2/token",
      namesIssuer: true,
    },
    client: { id: "applicationId", secret: "clientSecret", by: "basic" },
    pkce: "S256",
    scopes: { standard: ["identify"] },
    *account({ accessToken }) {
      const reply = yield get(ME, bearer(accessToken));
      const user = read(reply, z.looseObject({ id: Snowflake }));
      return user.ok ? accountIn("discord.user", user.value, "id") : user;
    },
    refresh: { source: `${OAUTH}#authorization-code-grant-refresh-token-exchange-example` },
    // An event is repeated for ten minutes only, so that Discord is asked as well.
    *alive({ grant }) {
      const sight = yield* sightOf(grant);
      if (sight === "absent") return "ended";
      return sight === "present" || sight === "no_view" ? "alive" : sight;
    },
    // "When you revoke a token, any active access or refresh tokens associated with that authorization will be revoked,
    // regardless of the token and token_type_hint values you pass in." A user has one authorization of an application.
    kills: "account",
  },

  actions: {
    erase: absent("Discord offers no API that erases what it holds about a person", EVENTS),
    revoke: {
      source: `${OAUTH}#authorization-code-grant-token-revocation-example`,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const { accessToken, refreshToken } = grantOf(order);
        const { applicationId, clientSecret } = order.settings;
        const [token, hint] =
          refreshToken === "" ? ([accessToken, "access_token"] as const) : ([refreshToken, "refresh_token"] as const);
        const client = { id: applicationId, secret: clientSecret, by: "basic" } as const;
        const reply = yield tokenCall("https://discord.com/api/oauth2/token/revoke", token, hint, client);
        // Unconfirmed: that a token that is dead already is answered with 200 too, as RFC 7009 section 2.2 has it.
        return reply.status === 200
          ? revoked
          : unforeseen(reply, `the revocation was refused: ${errorIn(reply) ?? "no error is named"}`);
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
