import type { Sample } from "./kit.ts";

const account = { type: "twilio.account", value: "AC00000000000000000000000000000001" };

export const sample: Sample = {
  settings: { authToken: "0123456789abcdef0123456789abcdef" },
  hooks: {
    "connect-deauthorize": {
      // Twilio signs no time: it happened when it arrived.
      deauthorize: (at) => [{ type: "deauthorized", identity: account, at }],
    },
  },
  ways: [],
};
