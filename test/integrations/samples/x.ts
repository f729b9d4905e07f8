import type { Signal } from "../../../src/contract/signal.ts";
import { type Sample, signal } from "./kit.ts";

const user = { type: "x.user_id", value: "1600000000000000001" };
const post = { type: "x.post", value: "1900000000000000009" };

/** As the page of the batch jobs has them. */
const line = (id: string, reason: string) => (at: number) =>
  JSON.stringify({
    id,
    action: "delete",
    created_at: "2018-07-22T19:53:41.000Z",
    redacted_at: new Date(at).toISOString(),
    reason,
  });
/** As the page of the streams' objects has them. */
const news =
  (name: string, said: object = { user: { id: user.value } }) =>
  (at: number) =>
    JSON.stringify({ data: { [name]: { ...said, event_at: new Date(at).toISOString().replace("Z", "+00:00") } } });
const nothing = (name: string, said?: object) => ({ [name]: { line: news(name, said), says: () => [] } });
const tweet = { tweet: { id: post.value, author_id: user.value } };
const errors = {
  errors: { line: () => JSON.stringify({ errors: [{ title: "operational-disconnect" }] }), says: () => [] },
};
const says = (type: Signal["type"], identity: Signal["identity"]) => (at: number) => [{ type, identity, at }];

export const sample: Sample = {
  settings: { consumerSecret: "consumerSecret0123456789abcdefghijklmnop", appId: "29820954" },
  hooks: {
    webhooks: {
      "oauth.revoke": (at) => [signal("deauthorized", user, at)],
      // Signed without a time, so it is when it came.
      "post.delete": (at) => [{ type: "content_deleted", identity: post, at }],
      "user_event.revoke": (at) => [signal("deauthorized", user, at)],
      tweet_delete_events: (at) => [{ type: "content_deleted", identity: post, at }],
    },
  },
  lists: {
    users: {
      "user deleted": { line: line("1600000000000000001", "deleted"), says: says("account_deleted", user) },
      "user deactivated": { line: line("1600000000000000001", "deactivated"), says: says("account_disabled", user) },
      "user suspended": { line: line("1600000000000000001", "suspended"), says: says("account_disabled", user) },
      "user protected": { line: line("1600000000000000001", "protected"), says: () => [] },
    },
    tweets: {
      "tweet deleted": { line: line("1900000000000000009", "deleted"), says: says("content_deleted", post) },
      "tweet bounced": { line: line("1900000000000000009", "bounced"), says: says("content_deleted", post) },
      "tweet protected": { line: line("1900000000000000009", "protected"), says: says("content_deleted", post) },
      "tweet suspended": { line: line("1900000000000000009", "suspended"), says: says("content_deleted", post) },
      "tweet scrub_geo": { line: line("1900000000000000009", "scrub_geo"), says: () => [] },
    },
    "users-stream": {
      user_delete: { line: news("user_delete"), says: says("account_deleted", user) },
      user_undelete: { line: news("user_undelete"), says: says("account_restored", user) },
      user_suspend: { line: news("user_suspend"), says: says("account_disabled", user) },
      ...nothing("user_unsuspend"),
      ...nothing("user_protect"),
      ...nothing("user_unprotect"),
      ...nothing("user_withheld", { user: { id: user.value }, withheld_in_countries: ["XY"] }),
      ...nothing("user_profile_modification", { user: { id: user.value }, profile_field: "name", new_value: "Ada" }),
      ...nothing("scrub_geo", { user: { id: user.value }, up_to_tweet_id: post.value }),
      ...errors,
    },
    "tweets-stream": {
      delete: { line: news("delete", tweet), says: says("content_deleted", post) },
      ...nothing("drop", tweet),
      ...nothing("undrop", tweet),
      ...nothing("withheld", { ...tweet, withheld_in_countries: ["XY"] }),
      ...nothing("tweet_edit", {
        tweet: { id: post.value },
        initial_tweet_id: post.value,
        edit_tweet_ids: [post.value],
      }),
      ...errors,
    },
  },
  ways: [],
};
