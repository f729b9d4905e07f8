import type { Signal } from "../../../src/contract/signal.ts";
import type { Sample } from "./kit.ts";

const about =
  (type: Signal["type"]) =>
  (at: number): Signal[] => [{ type, identity: { type: "standard-webhooks.user", value: "u-1" }, at }];

export const sample: Sample = {
  settings: { secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
  hooks: {
    events: {
      "erasure.requested": about("erasure_requested"),
      "user.deleted": about("account_deleted"),
      "grant.revoked": about("deauthorized"),
      "consent.withdrawn": about("consent_withdrawn"),
      "access.requested": about("access_requested"),
      "user.disabled": about("account_disabled"),
      "user.restored": about("account_restored"),
    },
  },
  ways: [],
};
