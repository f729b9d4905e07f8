import type { Signal } from "../../../src/contract/signal.ts";
import type { Sample } from "./kit.ts";

const identity = { type: "apple.sub", value: "000001.0123456789abcdef0123456789abcdef.0001" };
/** Apple says when it happened to the millisecond: here, 12.3 seconds before it was sent. */
const told = (type: Signal["type"]) => (at: number) => [{ type, identity, at: at - 12_300 }];

export const sample: Sample = {
  settings: { clientIds: "com.example.app,com.example.web" },
  hooks: {
    notifications: {
      "consent-revoked": told("deauthorized"),
      "account-deleted": told("account_deleted"),
      "account-delete": told("account_deleted"),
      "email-disabled": told("consent_withdrawn"),
      "email-enabled": () => [],
    },
  },
  ways: [],
};
