import type { Signal } from "../../../src/contract/signal.ts";
import type { Sample } from "./kit.ts";

/** Twitch gives nanoseconds. */
const about =
  (type: Signal["type"]) =>
  (at: number): Signal[] => [{ type, identity: { type: "twitch.user", value: "1337" }, at }];

export const sample: Sample = {
  settings: { subscriptionSecret: "s3cre77890ab" },
  hooks: {
    eventsub: {
      "user.authorization.revoke": about("deauthorized"),
      "revocation.user_removed": about("account_deleted"),
      "revocation.authorization_revoked": about("deauthorized"),
    },
  },
  ways: [],
};
