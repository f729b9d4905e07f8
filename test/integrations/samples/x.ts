import { unforeseen } from "../../../src/contract/call.ts";
import { erased, notFound, revoked } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import { byNoGrant, connection, on, type Sample, signal, unpublishing, type Way } from "./kit.ts";

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
const nothing = (name: string, said?: object) => ({ [name]: { message: news(name, said), says: () => [] } });
const tweet = { tweet: { id: post.value, author_id: user.value } };
const errors = {
  errors: {
    message: () => JSON.stringify({ errors: [{ title: "operational-disconnect" }] }),
    says: () => [],
    isTimeless: true as const,
  },
};
const says = (type: Signal["type"], identity: Signal["identity"]) => (at: number) => [{ type, identity, at }];

const scopes = ["users.read", "tweet.read", "offline.access"];
const grant = { accessToken: "access-1", refreshToken: "refresh-1", scopes, account: user };
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const published = unpublishing(post, { ...grant, scopes: [...scopes, "tweet.write"] });
const onPost = on(200, 401, 403);
const unposted = onPost({ status: 200, body: { data: { deleted: true } } });
const missing = {
  value: post.value,
  detail: `Could not find tweet with id: [${post.value}].`,
  title: "Not Found Error",
  resource_type: "tweet",
  parameter: "id",
  resource_id: post.value,
  type: "https://api.x.com/2/problems/resource-not-found",
};
const subscription = (nth: number, filter: object) => ({
  subscription_id: `${nth}`,
  event_type: "post.delete",
  filter,
  webhook_id: "17",
  created_at: "2026-10-01T00:00:00Z",
});
const none = on(200)({ status: 200, body: { meta: { total_subscriptions: 0 } } });
const done = on(200)({ status: 200, body: { revoked: true } });
const invalid = { error: "invalid_request", error_description: "Value passed for the token was invalid." };
const me = on(200, 401);
const live = me({ status: 200, body: { data: { id: user.value, name: "Ada", username: "ada_example" } } });
const dead = me({
  status: 401,
  body: { title: "Unauthorized", type: "about:blank", status: 401, detail: "Unauthorized" },
});
const tokens = (nth: number) => ({
  status: 200,
  body: {
    token_type: "bearer",
    expires_in: 7200,
    access_token: `access-${nth}`,
    scope: "users.read tweet.read offline.access",
    refresh_token: `refresh-${nth}`,
  },
});

export const sample: Sample = {
  settings: {
    consumerSecret: "consumerSecret0123456789abcdefghijklmnop",
    appId: "29820954",
    clientId: "bm9ib2R5cy1jbGllbnQtaWQ",
    clientSecret: "nobodys-client-secret",
    bearerToken: "nobodys-bearer-token",
    complianceToken: "nobodys-enterprise-token",
  },
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
  },
  streams: {
    "users-stream": {
      user_delete: { message: news("user_delete"), says: says("account_deleted", user) },
      user_undelete: { message: news("user_undelete"), says: says("account_restored", user) },
      user_suspend: { message: news("user_suspend"), says: says("account_disabled", user) },
      ...nothing("user_unsuspend"),
      ...nothing("user_protect"),
      ...nothing("user_unprotect"),
      ...nothing("user_withheld", { user: { id: user.value }, withheld_in_countries: ["XY"] }),
      ...nothing("user_profile_modification", { user: { id: user.value }, profile_field: "name", new_value: "Ada" }),
      ...nothing("scrub_geo", { user: { id: user.value }, up_to_tweet_id: post.value }),
      ...errors,
    },
    "tweets-stream": {
      delete: { message: news("delete", tweet), says: says("content_deleted", post) },
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
  ways: [
    way({ name: "both tokens", steps: [none, done, done], outcome: revoked }),
    way({
      name: "both tokens, and what was subscribed to about the person",
      steps: [
        on(200)({
          status: 200,
          body: {
            data: [subscription(1, { user_id: user.value }), subscription(2, { user_id: "11" })],
            meta: { next_token: "ABCDEFGHIJKLMNOP" },
          },
        }),
        on(200)({ status: 200, body: { data: [subscription(3, { user_id: user.value }), subscription(4, {})] } }),
        on(200)({ status: 200, body: { data: { deleted: true } } }),
        done,
        done,
      ],
      outcome: revoked,
    }),
    way({
      name: "tokens that are dead",
      steps: [
        none,
        { reply: { status: 400, body: invalid }, documented: (status) => status === 200 || status === 400 },
        dead,
      ],
      outcome: notFound,
    }),
    way({
      name: "a refusal of tokens that work",
      steps: [
        none,
        { reply: { status: 400, body: invalid }, documented: (status) => status === 200 || status === 400 },
        live,
      ],
      outcome: { outcome: "unforeseen", status: 400, what: "the revocation was refused: invalid_request" },
    }),
    published({ name: "a post", steps: [unposted], outcome: erased }),
    published({
      name: "a post that is gone already",
      steps: [onPost({ status: 200, body: { errors: [missing] } })],
      outcome: notFound,
    }),
    published({
      name: "a post of the second account",
      grants: [grant, grant],
      steps: [onPost({ status: 403, body: { title: "Forbidden", type: "about:blank", status: 403 } }), unposted],
      outcome: erased,
    }),
    published({
      name: "a post of an account whose token is dead",
      steps: [onPost(dead.reply)],
      outcome: byNoGrant("X does not take its token any more"),
    }),
    published({
      name: "a post that X did not delete",
      steps: [onPost({ status: 200, body: { data: { deleted: false } } })],
      outcome: unforeseen({ status: 200 }, "X has not deleted the post"),
    }),
    published({
      name: "it is gone",
      part: "look",
      steps: [on(200)({ status: 200, body: { errors: [missing] } })],
      outcome: "absent",
    }),
    published({
      name: "it is there",
      part: "look",
      steps: [on(200)({ status: 200, body: { data: { id: post.value, text: "meadow" } } })],
      outcome: "present",
    }),
    published({ name: "its token is of no use any more", part: "look", steps: [dead], outcome: "no_view" }),
    way({ name: "it is dead", part: "look", steps: [dead], outcome: "absent" }),
    way({ name: "it lives", part: "look", steps: [live], outcome: "present" }),
  ],
  oauth: {
    token: () => tokens(1),
    asks: [on(200)(live.reply)],
    grant,
    lastsSeconds: 7200,
    renewed: { reply: () => tokens(2), grant: { ...grant, accessToken: "access-2", refreshToken: "refresh-2" } },
    invalidGrant: { status: 400, body: invalid },
    alive: [
      { name: "alive", steps: [live], outcome: "alive" },
      { name: "over", steps: [dead], outcome: "ended" },
    ],
  },
};
