import type { Sample } from "./kit.ts";

const installation = { type: "sentry.installation", value: "a8e5d37a-696c-4c54-adb5-b3f28d64c7de" };

export const sample: Sample = {
  settings: { clientSecret: "0123456789abcdef0123456789abcdef" },
  hooks: {
    events: {
      // Sentry signs no time: it happened when it arrived.
      "installation.deleted": (at) => [{ type: "deauthorized", identity: installation, at }],
      "installation.created": () => [],
    },
  },
  ways: [],
};
