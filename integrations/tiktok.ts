import { z } from "zod";
import { at, bearer, get, postForm, type Reply, read, readRefusal, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Steps } from "../src/contract/integration.ts";
import { accountIn, CONNECTION, errorIn, grantOf, type TokenAnswer } from "../src/contract/oauth.ts";
import { type Answer, notFound, revoked, type Sight } from "../src/contract/outcome.ts";
import { optional, secret, text } from "../src/contract/settings.ts";
import { json, parse, type SignalType, UnixSeconds, withinSecond } from "../src/contract/signal.ts";

/**
 * TikTok Login Kit: people grant the tenant's app access to their account.
 * It tells us when a grant has ended, and why: disconnected, account deleted, age changed, banned, revoked by the app. We can end
 * a grant, with a token of it that works.
 */
const EVENTS = "https://developers.tiktok.com/doc/webhooks-events";
const VERIFICATION = "https://developers.tiktok.com/doc/webhooks-verification";
const TOKENS = "https://developers.tiktok.com/doc/oauth-user-access-token-management";
const WEB = "https://developers.tiktok.com/doc/login-kit-web";
const REFRESH = "https://developers.tiktok.com/docs/en/oauth-refresh-a-user-access-token";
const POSTING = "https://developers.tiktok.com/doc/content-posting-api-get-started";
const REVOKE = "https://developers.tiktok.com/docs/en/oauth-revoke-a-user-access-token";

const Event = z.object({
  event: z.string().min(1),
  create_time: UnixSeconds,
  user_openid: z.string().min(1).optional(),
  /** JSON inside JSON. */
  content: z.string().optional(),
});
const Content = z.object({ reason: z.int() });

const REMOVED = "authorization.removed";
const Delivery = Event.refine(({ event, user_openid }) => event !== REMOVED || user_openid !== undefined, {
  path: ["user_openid"],
});

/**
 * What each reason says beside that the grant has ended, which the event itself says: so an unknown reason, or content that
 * cannot be read, is the end of a grant too.
 */
const BESIDE: Readonly<Record<number, SignalType>> = {
  2: "account_deleted",
  // Nobody asked, and how old the person is now is not said: so it is noted, unless the tenant's policy lets it erase.
  3: "erasure_requested",
  // A ban may be lifted.
  4: "account_disabled",
  // 5, "developer revoke authorization", is an echo if it was us who revoked, and then recognised as one where it is
  // recorded. But the tenant's own systems can revoke past us, and that grant has ended for all others as well.
};

/** A deleted account had no other end: what it causes covers the grant. */
function typesFor(reason: number | undefined): readonly SignalType[] {
  const beside = reason === undefined ? undefined : BESIDE[reason];
  if (beside === "account_deleted") return [beside];
  return beside === undefined ? ["deauthorized"] : ["deauthorized", beside];
}

/** Scopes come with commas. Unconfirmed: whether a refusal can come with 200, as other answers of TikTok's do; it is one then too. */
function adapt({ status, json }: TokenAnswer): TokenAnswer {
  const { error, scope } = json;
  if (typeof error === "string" && error !== "") return { status: status === 200 ? 400 : status, json };
  return { status, json: { ...json, ...(typeof scope === "string" && { scope: scope.replaceAll(",", " ") }) } };
}

/** https://developers.tiktok.com/doc/tiktok-api-v2-error-handling */
const Told = z.object({ error: z.object({ code: z.string() }) });

function* sightOf(accessToken: string): Steps<Sight> {
  const me = at`https://open.tiktokapis.com/v2/user/info/?fields=open_id`;
  const reply = yield get(me, bearer(accessToken), { expects: [401] });
  const told = reply.status === 401 ? readRefusal(reply, Told) : read(reply, Told);
  if (!told.ok) return told.problem;
  const { code } = told.value.error;
  if (reply.status === 200 && code === "ok") return "present";
  if (reply.status === 401 && code === "access_token_invalid") return "absent";
  // Whoever was granted other scopes only cannot look.
  return reply.status === 401 && code === "scope_not_authorized"
    ? "no_view"
    : unforeseen(reply, "an error that TikTok does not document here");
}

/** "A successful request returns an empty response body", which the example prints as `{}`. */
function meaning(reply: Reply): Answer {
  const error = errorIn(reply);
  if (error !== undefined) return unforeseen(reply, `the revocation was refused: ${error}`);
  if (reply.status !== 200) return unforeseen(reply);
  return /^\s*(\{\s*\})?\s*$/.test(reply.text) ? revoked : unforeseen(reply, "an answer that should be empty is not");
}

export const tiktok = defineIntegration({
  id: "tiktok",
  name: "TikTok",
  about: "Platform access to an account under a person's grant.",
  origins: ["https://open.tiktokapis.com"],
  settings: {
    clientSecret: secret("Client secret"),
    clientKey: optional(text("Client key: deliveries that name another are refused", /^[A-Za-z0-9]+$/)),
  },
  identities: { "tiktok.open_id": "App-scoped user id (open_id)" },

  hooks: {
    webhooks: {
      source: VERIFICATION,
      verify: {
        scheme: "hmac",
        key: "clientSecret",
        hash: "SHA-256",
        signature: { header: "tiktok-signature", encoding: "hex", items: { separator: ",", name: "s" } },
        over: [{ item: "t" }, { text: "." }, "body"],
        expects: [{ at: ["client_key"], setting: "clientKey" }],
        // Unconfirmed: whether a repeat, for up to 72 hours, is signed anew. No age is set, so that no end of a grant is
        // lost; a repeat is known by its content.
      },
      contentTypes: ["application/json"],
      read: json(Delivery, ({ event, create_time, user_openid = "", content = "" }) => {
        // TikTok gives no event id.
        const id = `${event}:${user_openid}:${create_time}:${content}`;
        if (event !== REMOVED) return [{ id, name: event, signals: [] }];
        const identity = { type: "tiktok.open_id", value: user_openid };
        const said = parse(Content, content);
        const types = typesFor(said.ok ? said.value.reason : undefined);
        return [{ id, name: event, signals: types.map((type) => ({ type, identity, at: withinSecond(create_time) })) }];
      }),
      authority: {
        deauthorized: "here",
        account_deleted: "everywhere",
        erasure_requested: "record",
        account_disabled: "record",
      },
      // Only 200 is named as success.
      answer: 200,
      retriesForHours: 72,
      events: [0, 1, 2, 3, 4, 5].map((reason) => `${REMOVED} (${reason})`),
    },
  },

  oauth: {
    source: TOKENS,
    server: {
      issuer: "https://www.tiktok.com",
      authorize: "https://www.tiktok.com/v2/auth/authorize/",
      token: "https://open.tiktokapis.com/v2/oauth/token/",
    },
    client: { id: "clientKey", secret: "clientSecret", by: "post", idName: "client_key" },
    pkce: absent("it is for mobile and desktop apps, and hashed in another way there", WEB),
    scopes: { standard: ["user.info.basic"], separator: "," },
    adapt,
    account: ({ answer }) => accountIn("tiktok.open_id", answer, "open_id"),
    refresh: { source: REFRESH },
    // "Disconnects your app from the user's TikTok account."
    kills: "account",
    revokesWithAccess: true,
  },

  actions: {
    erase: absent("TikTok offers no API that erases what it holds about a person as their own controller", EVENTS),
    unpublish: absent(
      "TikTok's API publishes, and deletes nothing",
      POSTING,
      "Ask the person to delete in TikTok what was published for them: open the video, its menu, Delete.",
    ),
    revoke: {
      source: REVOKE,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const { accessToken } = grantOf(order);
        // What is answered about a dead token is not documented for the call that revokes; for all others it is.
        const before = yield* sightOf(accessToken);
        if (before === "absent") return notFound;
        if (typeof before !== "string") return before;
        const { clientKey, clientSecret } = order.settings;
        const reply = yield postForm(at`https://open.tiktokapis.com/v2/oauth/revoke/`, { accept: "application/json" }, [
          ["client_key", clientKey],
          ["client_secret", clientSecret],
          ["token", accessToken],
        ]);
        return meaning(reply);
      },
      look: {
        afterSeconds: 5,
        run: (order) => sightOf(grantOf(order).accessToken),
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
