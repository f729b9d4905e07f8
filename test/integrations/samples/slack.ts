import type { Signal } from "../../../src/contract/signal.ts";
import { type Sample, signal } from "./kit.ts";

const about =
  (type: Signal["type"], ...whom: readonly (readonly [string, string])[]) =>
  (at: number) =>
    whom.map(([kind, value]) => signal(type, { type: `slack.${kind}`, value }, at));

export const sample: Sample = {
  settings: { signingSecret: "0123456789abcdef0123456789abcdef", appId: "A0LOVELACE" },
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
  ways: [],
};
