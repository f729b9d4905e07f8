import { type Sample, signal } from "./kit.ts";

export const sample: Sample = {
  settings: { signingKey: "0123456789abcdef0123456789abcdef" },
  hooks: {
    reporting: {
      "customer.unsubscribed": (at) => [signal("consent_withdrawn", { type: "customer-io.id", value: "u-1" }, at)],
    },
  },
  ways: [],
};
