import { type Sample, signal } from "./kit.ts";

const user = { type: "threads.user_id", value: "1000000000001" };
const post = { type: "threads.post", value: "18000000000000001" };

export const sample: Sample = {
  settings: { appSecret: "aaaabbbbccccdddd0000111122223333", verifyToken: "meadow-lantern-cobalt" },
  hooks: {
    "data-deletion": { data_deletion: (at) => [signal("erasure_requested", user, at)] },
    deauthorize: { deauthorize: (at) => [signal("deauthorized", user, at)] },
    webhooks: { delete: (at) => [signal("content_deleted", post, at)] },
  },
  ways: [],
};
