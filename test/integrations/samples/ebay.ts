import type { Signal } from "../../../src/contract/signal.ts";
import type { Sample } from "./kit.ts";

const about =
  (type: Signal["type"]) =>
  (at: number): Signal[] => [{ type, identity: { type: "ebay.user", value: "ma8vp1jySJC" }, at }];

export const sample: Sample = {
  settings: {
    clientId: "Example-Orders-PRD-000000000-00000001",
    clientSecret: "PRD-0000000000c5-example-secret",
    verificationToken: "example_verification_token_of_40_letters",
  },
  hooks: {
    notifications: {
      MARKETPLACE_ACCOUNT_DELETION: about("account_deleted"),
      AUTHORIZATION_REVOCATION: about("deauthorized"),
    },
  },
  ways: [],
};
