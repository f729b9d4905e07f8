import { notFound, stoppedBecause } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { connection, type Sample, type Step, signal, type Way } from "./kit.ts";

const user = { type: "instagram.user_id", value: "1000000000001" };
const message = { type: "instagram.message", value: "mid_meadow_1" };

const grant = { accessToken: "IGAAlong", refreshToken: "", scopes: ["instagram_business_basic"], account: user };
const graph = (reply: Played): Step => ({
  reply,
  documented: (status) => status === 200 || Math.trunc(status / 100) === 4,
});
const live = graph({ status: 200, body: { id: user.value } });
const dead = graph({
  status: 400,
  body: { error: { message: "Error validating access token.", type: "OAuthException", code: 190, fbtrace_id: "AbC" } },
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
  "Instagram has no revocation endpoint; the tokens held here are destroyed, and the person can remove the app in Instagram",
);

export const sample: Sample = {
  settings: {
    appId: "990602627938098",
    appSecret: "fedcba9876543210fedcba9876543210",
    verifyToken: "meadow-lantern-cobalt",
  },
  hooks: {
    "data-deletion": { data_deletion: (at) => [signal("erasure_requested", user, at)] },
    deauthorize: { deauthorize: (at) => [signal("deauthorized", user, at)] },
    webhooks: { "messages.is_deleted": (at) => [{ type: "content_deleted", identity: message, at }] },
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
    revocation({
      name: "throttled",
      steps: [graph({ status: 400, body: { error: { message: "(#4)", type: "OAuthException", code: 4 } } })],
      outcome: { outcome: "slow_down", seconds: 300 },
    }),
  ],
  oauth: {
    // A number that is longer than a number holds: the account is asked for.
    token: () => ({
      status: 200,
      body: '{"access_token": "IGAAshort", "user_id": 17841405793187218, "permissions": ["instagram_business_basic"]}',
    }),
    longer: lasting("IGAAlong"),
    asks: [live],
    grant,
    lastsSeconds: 5_183_944,
    renewed: { reply: () => lasting("IGAAlonger"), grant: { ...grant, accessToken: "IGAAlonger" } },
    invalidGrant: dead.reply,
    alive: [
      { name: "alive", steps: [live], outcome: "alive" },
      { name: "over", steps: [dead], outcome: "ended" },
    ],
  },
};
