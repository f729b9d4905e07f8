import { erased, notFound, stoppedBecause } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { byNoGrant, connection, type Sample, type Step, signal, unpublishing, type Way } from "./kit.ts";

const user = { type: "threads.user_id", value: "1000000000001" };
const post = { type: "threads.post", value: "18000000000000001" };

const grant = { accessToken: "THQlong", refreshToken: "", scopes: ["threads_basic"], account: user };
const graph = (reply: Played): Step => ({
  reply,
  documented: (status) => status === 200 || Math.trunc(status / 100) === 4,
});
const live = graph({ status: 200, body: { id: user.value } });
const dead = graph({
  status: 400,
  body: { error: { message: "Error validating access token.", type: "OAuthException", code: 190, fbtrace_id: "AbC" } },
});
const published = unpublishing(post, grant);
const DELETED = { success: true, deleted_id: post.value };
const unseen = graph({
  status: 400,
  body: { error: { message: "Unsupported delete request.", type: "THApiException", code: 100, error_subcode: 33 } },
});
const revocation = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const lasting = (token: string) => ({
  status: 200,
  body: { access_token: token, token_type: "bearer", expires_in: 5_183_944 },
});

const stopped = stoppedBecause(
  "Threads has no revocation endpoint; the tokens held here are destroyed, and the person can remove the app in Threads",
);

export const sample: Sample = {
  settings: {
    appId: "990602627938098",
    appSecret: "aaaabbbbccccdddd0000111122223333",
    verifyToken: "meadow-lantern-cobalt",
  },
  hooks: {
    "data-deletion": { data_deletion: (at) => [signal("erasure_requested", user, at)] },
    deauthorize: { deauthorize: (at) => [signal("deauthorized", user, at)] },
    webhooks: { delete: (at) => [signal("content_deleted", post, at)] },
  },
  ways: [
    revocation({
      name: "no call for it",
      steps: [live],
      outcome: stopped,
    }),
    revocation({ name: "a token that is refused before its time", steps: [dead], outcome: notFound }),
    revocation({
      name: "a token that has expired",
      grant: { ...grant, expiresAt: 0 },
      steps: [dead],
      outcome: stopped,
    }),
    published({ name: "a post", steps: [graph({ status: 200, body: DELETED })], outcome: erased }),
    published({
      name: "a post that nobody is shown",
      grants: [grant, grant],
      steps: [unseen, unseen],
      outcome: byNoGrant("Meta shows it no such post: it is gone already, or another account's"),
    }),
    published({
      name: "a grant without threads_delete",
      steps: [graph({ status: 403, body: { error: { message: "(#10)", type: "OAuthException", code: 10 } } })],
      outcome: byNoGrant("Meta wants a permission that it does not have (error 10)"),
    }),
    published({
      name: "a token that is dead",
      steps: [dead],
      outcome: byNoGrant("Meta does not take its token any more"),
    }),
    published({ name: "it is gone", part: "look", steps: [unseen], outcome: "absent" }),
    published({ name: "its token is of no use any more", part: "look", steps: [dead], outcome: "no_view" }),
    published({
      name: "it is there",
      part: "look",
      steps: [graph({ status: 200, body: { id: post.value } })],
      outcome: "present",
    }),
    revocation({
      name: "throttled",
      steps: [graph({ status: 400, body: { error: { message: "(#4)", type: "OAuthException", code: 4 } } })],
      outcome: { outcome: "slow_down", seconds: 300 },
    }),
  ],
  oauth: {
    // A number that is longer than a number holds: the account is asked for.
    token: () => ({ status: 200, body: '{"access_token": "THQshort", "user_id": 17841405793187218}' }),
    longer: lasting("THQlong"),
    asks: [live],
    grant,
    lastsSeconds: 5_183_944,
    renewed: { reply: () => lasting("THQlonger"), grant: { ...grant, accessToken: "THQlonger" } },
    invalidGrant: dead.reply,
    alive: [
      { name: "alive", steps: [live], outcome: "alive" },
      { name: "over", steps: [dead], outcome: "ended" },
    ],
  },
};
