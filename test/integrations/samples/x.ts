import { type Sample, signal } from "./kit.ts";

const user = { type: "x.user_id", value: "1600000000000000001" };
const post = { type: "x.post", value: "1900000000000000009" };

export const sample: Sample = {
  settings: { consumerSecret: "consumerSecret0123456789abcdefghijklmnop" },
  hooks: {
    webhooks: {
      "oauth.revoke": (at) => [signal("deauthorized", user, at)],
      // Signed without a time, so it is when it came.
      "post.delete": (at) => [{ type: "content_deleted", identity: post, at }],
      "user_event.revoke": (at) => [signal("deauthorized", user, at)],
      tweet_delete_events: (at) => [{ type: "content_deleted", identity: post, at }],
    },
  },
  ways: [],
};
