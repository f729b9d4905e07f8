import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { secret } from "../src/contract/settings.ts";
import { json, type Proven, parse, type Signal, UnixSeconds, withinSecond } from "../src/contract/signal.ts";

/**
 * Slack: workspaces install the tenant's app, and people in them grant it access.
 * It tells us whose tokens were revoked, that a workspace removed the app, that messages and files were deleted and that a
 * person was deactivated. Ids are a workspace's own, so everything is known by workspace and id.
 */
const EVENTS = "https://docs.slack.dev/apis/events-api/";
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

export const slack = defineIntegration({
  id: "slack",
  name: "Slack",
  about: "Team messaging: workspaces install the tenant's app, and people grant it access.",
  origins: [],
  settings: { signingSecret: secret("Signing secret of the app", /^[0-9a-f]{32}$/) },
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

  oauth: absent("not yet connected by Quittance", "https://docs.slack.dev/authentication/installing-with-oauth"),

  actions: {
    erase: absent(
      "Slack offers apps no API that erases a person; the primary owner of a workspace deletes profiles",
      "https://slack.com/help/articles/360000360443-Delete-member-profile-information",
      "In your own workspace: delete the messages and files that your app posted about the person, or that name them. For a former member the primary owner deletes the profile information once the account is deactivated, or asks Slack to; messages, canvases and files stay until they are deleted themselves.",
    ),
    revoke: absent("needs the person's token, which connections will hold", REVOKE),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
