import { z } from "zod";
import { bearer, type Call, postForm, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Steps } from "../src/contract/integration.ts";
import { accountIn, CONNECTION, type Grant, grantOf, type TokenAnswer } from "../src/contract/oauth.ts";
import { notFound, revoked, type Unforeseen } from "../src/contract/outcome.ts";
import { optional, secret, text } from "../src/contract/settings.ts";
import { json, type Proven, parse, type Signal, UnixSeconds, withinSecond } from "../src/contract/signal.ts";

/**
 * Slack: workspaces install the tenant's app, and people in them grant it access.
 * It tells us whose tokens were revoked, that a workspace removed the app, that messages and files were deleted and that a
 * person was deactivated. Ids are a workspace's own, so everything is known by workspace and id.
 */
const EVENTS = "https://docs.slack.dev/apis/events-api/";
const INSTALLING = "https://docs.slack.dev/authentication/installing-with-oauth";
const REVOKE = "https://docs.slack.dev/reference/methods/auth.revoke";

const Text = z.string().min(1);
const UserIds = z.array(Text).nullish();

/** The outer body of every event; also of what is none, as `app_rate_limited`. */
const Body = z.object({
  type: Text,
  team_id: Text.nullish(),
  event_id: Text.nullish(),
  event_time: UnixSeconds.nullish(),
  minute_rate_limited: z.number().nullish(),
  event: z.looseObject({ type: Text }).nullish(),
});

const Event = z.object({
  type: z.literal("event_callback"),
  team_id: Text,
  event_id: Text,
  event_time: UnixSeconds,
  event: z.looseObject({ type: Text, subtype: z.string().nullish() }),
});

const TokensRevoked = z.object({
  type: z.literal("tokens_revoked"),
  // User ids, not tokens.
  tokens: z.object({ oauth: UserIds, bot: UserIds }),
});
const Uninstalled = z.object({ type: z.literal("app_uninstalled") });
const MessageDeleted = z.object({
  type: z.literal("message"),
  subtype: z.literal("message_deleted"),
  channel: Text,
  deleted_ts: Text,
});
const FileDeleted = z.object({ type: z.literal("file_deleted"), file_id: Text });
const Deactivated = z.object({
  type: z.literal("user_change"),
  user: z.object({ id: Text, deleted: z.literal(true) }),
});

const KNOWN = ["tokens_revoked", "app_uninstalled", "file_deleted"];
const Known = z.union([TokensRevoked, Uninstalled, MessageDeleted, FileDeleted, Deactivated]);

/** An event of a kind that matters here must have what it is about; of all others nothing is asked. */
const Delivery = Body.superRefine((body, context) => {
  if (body.type !== "event_callback") return;
  const read = Event.safeParse(body);
  const misses = (path: readonly PropertyKey[]) => context.addIssue({ code: "custom", path: [...path] });
  if (!read.success) return misses(read.error.issues[0]?.path ?? []);
  if (KNOWN.includes(read.data.event.type) && !Known.safeParse(read.data.event).success) misses(["event"]);
});

function signalsOf(event: z.infer<typeof Known>, team: string): readonly Omit<Signal, "at">[] {
  const about = (type: Signal["type"], what: string, ...ids: readonly string[]) => ({
    type,
    identity: { type: `slack.${what}`, value: [team, ...ids].join("/") },
  });
  switch (event.type) {
    case "tokens_revoked": {
      const { oauth, bot } = event.tokens;
      return [
        ...(oauth ?? []).map((user) => about("token_revoked", "user", user)),
        ...(bot ?? []).map((user) => about("token_revoked", "bot", user)),
      ];
    }
    case "app_uninstalled":
      return [about("deauthorized", "workspace")];
    case "message":
      return [about("content_deleted", "message", event.channel, event.deleted_ts)];
    case "file_deleted":
      return [about("content_deleted", "file", event.file_id)];
    case "user_change":
      return [about("account_disabled", "user", event.user.id)];
  }
}

/** `url_verification` is signed like every delivery; its `token` is an older proof that nobody should trust. */
const Verification = z.object({ type: z.literal("url_verification"), challenge: z.string() });

function challengeIn({ text }: Proven): string | undefined {
  const read = parse(Verification, text);
  return read.ok ? read.value.challenge : undefined;
}

const settings = {
  signingSecret: secret("Signing secret of the app", /^[0-9a-f]{32}$/),
  appId: optional(text("App id: deliveries that name another are refused", /^A[A-Z0-9]+$/)),
  clientId: optional(text("Client ID of the app", /^\d+\.\d+$/)),
  clientSecret: optional(secret("Client secret of the app")),
};

/** What a person grants stands apart from what a workspace does, except in a renewal, whose answer is about one token. */
const Own = z.object({
  access_token: Text,
  token_type: z.literal("user"),
  scope: z.string().nullish(),
  refresh_token: Text.nullish(),
  expires_in: z.number().nullish(),
});

/** Slack's words for a code or a refresh token that is no good. */
const SPENT: ReadonlySet<string> = new Set(["invalid_code", "code_already_used", "invalid_refresh_token"]);

/** Refusals come with 200; scopes with commas; the token of a workspace's bot is left where it is. */
function adapt({ status, json }: TokenAnswer): TokenAnswer | undefined {
  if (status !== 200) return { status, json };
  const { ok: isGranted, error, authed_user } = json;
  if (isGranted === false && typeof error === "string")
    return { status: 400, json: { error: SPENT.has(error) ? "invalid_grant" : error } };
  const granted = Own.safeParse(authed_user).data ?? Own.safeParse(json).data;
  if (isGranted !== true || granted === undefined) return { status, json: {} };
  const { access_token, scope, refresh_token, expires_in } = granted;
  return {
    status,
    json: {
      access_token,
      token_type: "bearer",
      ...(scope != null && { scope: scope.replaceAll(",", " ") }),
      ...(refresh_token != null && { refresh_token }),
      ...(expires_in != null && { expires_in }),
      account: accountOf(json),
    },
  };
}

const Named = z.object({ id: Text });
const Installed = z.object({ authed_user: Named, team: Named.nullish(), enterprise: Named.nullish() });

/** A user id is a workspace's own; where an app is installed for a whole organisation, it is that organisation's. */
function accountOf(answer: Readonly<Record<string, unknown>>): string | undefined {
  const { authed_user, team, enterprise } = Installed.safeParse(answer).data ?? {};
  const where = team?.id ?? enterprise?.id;
  return authed_user === undefined || where === undefined ? undefined : `${where}/${authed_user.id}`;
}

const about = (method: "auth.revoke" | "auth.test", { accessToken }: Grant): Call => {
  const url = `https://slack.com/api/${method}`;
  return postForm({ url, template: url }, bearer(accessToken), []);
};

/**
 * The token's user, workspace or installation is gone, or it was revoked. `invalid_auth` is not among them: it is also said to
 * addresses that a workspace does not allow.
 */
const DEAD: ReadonlySet<string> = new Set(["token_revoked", "account_inactive"]);
const Said = z.union([
  z.looseObject({ ok: z.literal(true), revoked: z.boolean().optional() }),
  z.object({ ok: z.literal(false), error: z.string().regex(/^[a-z_]{1,64}$/) }),
]);

/** What Slack says of a token, in 200 whatever it is. */
function* said(call: Call): Steps<"revoked" | "live" | "dead" | Unforeseen> {
  const reply = yield call;
  const answer = read(reply, Said);
  if (!answer.ok) return answer.problem;
  if (answer.value.ok) return answer.value.revoked === true ? "revoked" : "live";
  const { error } = answer.value;
  return DEAD.has(error) ? "dead" : unforeseen(reply, `the token was refused: ${error}`);
}

export const slack = defineIntegration({
  id: "slack",
  name: "Slack",
  about: "Team messaging: workspaces install the tenant's app, and people grant it access.",
  origins: ["https://slack.com"],
  settings,
  identities: {
    "slack.user": "`<workspace id>/<user id>`: a user id alone is not unique",
    "slack.bot": "`<workspace id>/<user id of the bot>`",
    "slack.workspace": "Workspace id (`T…`)",
    "slack.message": "`<workspace id>/<channel id>/<ts>`",
    "slack.file": "`<workspace id>/<file id>`",
  },

  hooks: {
    events: {
      source: EVENTS,
      verify: {
        scheme: "hmac",
        hash: "SHA-256",
        // It looks like hex and is used as text.
        key: "signingSecret",
        signature: { header: "x-slack-signature", encoding: "hex", prefix: "v0=" },
        over: [{ text: "v0:" }, { header: "x-slack-request-timestamp" }, { text: ":" }, "body"],
        // https://docs.slack.dev/authentication/verifying-requests-from-slack has this rule. Unconfirmed: that its three repeats, the last after about six minutes, are signed anew; if they
        // are not, the last comes too late, and the two before it do not.
        fresh: { at: { header: "x-slack-request-timestamp" }, unit: "seconds", withinSeconds: 300 },
        expects: [{ at: ["api_app_id"], setting: "appId" }],
      },
      contentTypes: ["application/json"],
      challenges: [
        {
          ask: "delivery",
          find: challengeIn,
          shape: /[\w.~-]{1,256}/,
          answer: { give: "value" },
          source: "https://docs.slack.dev/reference/events/url_verification",
        },
      ],
      read: json(Delivery, ({ type, team_id, event_id, event_time, event, minute_rate_limited }, { receivedAt }) => {
        const team = team_id ?? "";
        if (type !== "event_callback" || event == null) {
          const at = minute_rate_limited ?? receivedAt;
          return [{ id: `${type}:${team}:${at}`, name: type === "app_rate_limited" ? type : "unknown", signals: [] }];
        }
        const known = Known.safeParse(event);
        const at = event_time == null ? receivedAt : withinSecond(event_time);
        const signals = known.success ? signalsOf(known.data, team).map((signal) => ({ ...signal, at })) : [];
        const name = known.success && known.data.type === "message" ? known.data.subtype : event.type;
        return [{ id: event_id ?? "", name, signals }];
      }),
      authority: {
        token_revoked: "here",
        deauthorized: "here",
        content_deleted: "record",
        account_disabled: "record",
      },
      answer: 200,
      // At once, after one minute, after five.
      retriesForHours: 0.1,
      events: [
        "tokens_revoked",
        "app_uninstalled",
        "message_deleted",
        "file_deleted",
        "user_change",
        "app_rate_limited",
      ],
    },
  },

  oauth: {
    source: INSTALLING,
    server: {
      issuer: "https://slack.com",
      authorize: "https://slack.com/oauth/v2/authorize",
      token: "https://slack.com/api/oauth.v2.access",
    },
    client: { id: "clientId", secret: "clientSecret", by: "basic" },
    pkce: absent(
      "an app that takes PKCE is a public client from then on, which cannot be undone",
      "https://docs.slack.dev/authentication/using-pkce",
    ),
    scopes: { standard: ["users.profile:read"], separator: ",", parameter: "user_scope" },
    adapt,
    account: ({ answer }) => accountIn("slack.user", answer, "account"),
    refresh: { source: "https://docs.slack.dev/authentication/using-token-rotation" },
    // Three repeats within six minutes are few, so that Slack is asked as well.
    *alive({ grant }) {
      const answer = yield* said(about("auth.test", grant));
      if (answer === "dead") return "ended";
      return answer === "live" || answer === "revoked" ? "alive" : answer;
    },
    // Unconfirmed: that a person who connects again gets the token that they had, with more scopes. Where they do, it is the
    // same one that ends; where they do not, no other is ended.
    kills: "account",
    revokesWithAccess: true,
  },

  actions: {
    erase: absent(
      "Slack offers apps no API that erases a person; workspace owners ask Slack for it",
      "https://slack.com/help/articles/360000360443-Delete-member-profile-information",
    ),
    revoke: {
      source: REVOKE,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const answer = yield* said(about("auth.revoke", grantOf(order)));
        if (answer === "revoked") return revoked;
        if (answer === "dead") return notFound;
        return answer === "live" ? unforeseen({ status: 200 }, "Slack does not say that the token is revoked") : answer;
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          const answer = yield* said(about("auth.test", grantOf(order)));
          if (answer === "dead") return "absent";
          return answer === "live" || answer === "revoked" ? "present" : answer;
        },
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
