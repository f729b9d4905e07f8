import type { Signal } from "../../../src/contract/signal.ts";
import type { Sample } from "./kit.ts";

/** GitHub signs no time: it happened when it arrived. */
const arrived =
  (type: Signal["type"], kind: string, value: string) =>
  (at: number): Signal[] => [{ type, identity: { type: `github.${kind}`, value }, at }];

export const sample: Sample = {
  settings: { webhookSecret: "nobodys-secret-0123456789" },
  hooks: {
    events: {
      "github_app_authorization.revoked": arrived("deauthorized", "user", "1001"),
      "installation.deleted": arrived("deauthorized", "installation", "4711"),
      "installation.suspend": arrived("account_disabled", "installation", "4711"),
      "installation.unsuspend": arrived("account_restored", "installation", "4711"),
      "installation_repositories.removed": arrived("content_deleted", "repository", "9001"),
      "marketplace_purchase.cancelled": arrived("deauthorized", "account", "1001"),
      ping: () => [],
    },
  },
  ways: [],
};
