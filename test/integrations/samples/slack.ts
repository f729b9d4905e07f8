import { notFound, revoked } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import { connection, on, type Sample, signal, type Way } from "./kit.ts";

const about =
  (type: Signal["type"], ...whom: readonly (readonly [string, string])[]) =>
  (at: number) =>
    whom.map(([kind, value]) => signal(type, { type: `slack.${kind}`, value }, at));

const account = { type: "slack.user", value: "T0ADALAB/U0ADA" };
const grant = {
  accessToken: "xoxe.xoxp-1",
  refreshToken: "xoxe-1-1",
  scopes: ["users.profile:read", "files:read"],
  account,
};
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const says = (body: object) => on(200)({ status: 200, body });
const own = (nth: number) => ({
  access_token: `xoxe.xoxp-${nth}`,
  token_type: "user",
  scope: "users.profile:read,files:read",
  refresh_token: `xoxe-1-${nth}`,
  expires_in: 43_200,
});
const where = { app_id: "A0LAB", team: { id: "T0ADALAB", name: "Lab" }, enterprise: null };

export const sample: Sample = {
  settings: {
    signingSecret: "0123456789abcdef0123456789abcdef",
    appId: "A0LOVELACE",
    clientId: "2141029472.691202649728",
    clientSecret: "nobodys-client-secret",
  },
  hooks: {
    events: {
      tokens_revoked: about("token_revoked", ["user", "T0ADALAB/U0ADA"], ["bot", "T0ADALAB/U0BOT"]),
      app_uninstalled: about("deauthorized", ["workspace", "T0ADALAB"]),
      message_deleted: about("content_deleted", ["message", "T0ADALAB/C0NOTES/1763715600.000100"]),
      file_deleted: about("content_deleted", ["file", "T0ADALAB/F0DRAFT"]),
      user_change: about("account_disabled", ["user", "T0ADALAB/U0ADA"]),
      app_rate_limited: about("token_revoked"),
    },
  },
  ways: [
    way({ name: "the token", steps: [says({ ok: true, revoked: true })], outcome: revoked }),
    way({ name: "a token that was revoked", steps: [says({ ok: false, error: "token_revoked" })], outcome: notFound }),
    way({ name: "a person who is gone", steps: [says({ ok: false, error: "account_inactive" })], outcome: notFound }),
    way({
      name: "it is dead",
      part: "look",
      steps: [says({ ok: false, error: "token_revoked" })],
      outcome: "absent",
    }),
    way({
      name: "it lives",
      part: "look",
      steps: [says({ ok: true, team_id: "T0ADALAB", user_id: "U0ADA" })],
      outcome: "present",
    }),
  ],
  oauth: {
    token: () => ({ status: 200, body: { ok: true, ...where, authed_user: { id: "U0ADA", ...own(1) } } }),
    asks: [],
    grant,
    lastsSeconds: 43_200,
    renewed: {
      reply: () => ({ status: 200, body: { ok: true, ...where, ...own(2) } }),
      grant: { ...grant, accessToken: "xoxe.xoxp-2", refreshToken: "xoxe-1-2" },
    },
    invalidGrant: { status: 200, body: { ok: false, error: "invalid_refresh_token" } },
    alive: [
      { name: "alive", steps: [says({ ok: true, team_id: "T0ADALAB", user_id: "U0ADA" })], outcome: "alive" },
      { name: "over", steps: [says({ ok: false, error: "account_inactive" })], outcome: "ended" },
    ],
  },
};
