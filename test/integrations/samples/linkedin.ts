import { erased, notFound, stoppedBecause } from "../../../src/contract/outcome.ts";
import { byNoGrant, connection, on, type Sample, unpublishing, type Way } from "./kit.ts";

const comment = {
  type: "linkedin.comment",
  value: "urn:li:comment:(urn:li:activity:7000000000000000001,7000000000000000002)",
};
const lead = { type: "linkedin.lead", value: "urn:li:leadGenFormResponse:meadow-1" };

const account = { type: "linkedin.person", value: "782bbtaQ" };
const grant = { accessToken: "AQX1", refreshToken: "AQW1", scopes: ["openid", "profile"], account };
const way = (one: Pick<Way, "name" | "steps" | "outcome">): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const published = unpublishing({ type: "linkedin.post", value: "urn:li:share:6844785523593134080" }, grant);
const introspected = (active: boolean, status: string) =>
  on(200)({ status: 200, body: { active, status, expires_at: 1_493_055_600, auth_type: "3L" } });
const because =
  "LinkedIn has no revocation endpoint; the tokens held here are destroyed, and the member can remove the app in LinkedIn";
const tokens = (access: string, refresh: string) => ({
  status: 200,
  body: {
    access_token: access,
    expires_in: 5_184_000,
    refresh_token: refresh,
    refresh_token_expires_in: 31_536_000,
    scope: "openid,profile",
    // Its issuer is not what it was once, and nobody asked for it.
    id_token: "e30.e30.c2ln",
  },
});

export const sample: Sample = {
  settings: { clientId: "86vhj2q7ukf83q", clientSecret: "WPL_AP1.0123456789abcdef" },
  hooks: {
    webhooks: {
      COMMENT_DELETE: (at) => [{ type: "content_deleted", identity: comment, at }],
      "LEAD_ACTION.DELETED": (at) => [{ type: "content_deleted", identity: lead, at }],
    },
  },
  ways: [
    published({ name: "a post", steps: [on(204, 401, 403)({ status: 204 })], outcome: erased }),
    published({
      name: "another's post",
      steps: [on(204, 401, 403)({ status: 403, body: { status: 403, message: "Not enough permissions" } })],
      outcome: byNoGrant("LinkedIn forbids it: not its author's, or without w_member_social"),
    }),
    published({
      name: "a token that is dead",
      steps: [on(204, 401, 403)({ status: 401, body: { status: 401, code: "REVOKED_ACCESS_TOKEN" } })],
      outcome: byNoGrant("LinkedIn does not take its token any more"),
    }),
    way({ name: "no call for it", steps: [introspected(true, "active")], outcome: stoppedBecause(because) }),
    way({
      name: "a token that has expired",
      steps: [introspected(false, "expired")],
      outcome: stoppedBecause(because),
    }),
    way({ name: "a grant that is over", steps: [introspected(false, "revoked")], outcome: notFound }),
  ],
  oauth: {
    token: () => tokens("AQX1", "AQW1"),
    asks: [on(200)({ status: 200, body: { sub: account.value, name: "Ada Example" } })],
    grant,
    lastsSeconds: 5_184_000,
    renewed: { reply: () => tokens("AQX2", "AQW1"), grant: { ...grant, accessToken: "AQX2" } },
    invalidGrant: {
      status: 400,
      body: {
        error: "invalid_grant",
        error_description: "The provided authorization grant or refresh token is invalid, expired or revoked.",
      },
    },
    alive: [
      { name: "alive", steps: [introspected(true, "active")], outcome: "alive" },
      { name: "over", steps: [introspected(false, "revoked")], outcome: "ended" },
    ],
  },
};
