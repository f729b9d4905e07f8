import { type Sample, signal } from "./kit.ts";

const user = { type: "instagram.user_id", value: "1000000000001" };
const message = { type: "instagram.message", value: "mid_meadow_1" };

export const sample: Sample = {
  settings: { appSecret: "fedcba9876543210fedcba9876543210", verifyToken: "meadow-lantern-cobalt" },
  hooks: {
    "data-deletion": { data_deletion: (at) => [signal("erasure_requested", user, at)] },
    deauthorize: { deauthorize: (at) => [signal("deauthorized", user, at)] },
    webhooks: { "messages.is_deleted": (at) => [{ type: "content_deleted", identity: message, at }] },
  },
  ways: [],
};
