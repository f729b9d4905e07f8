import { erased, notFound, revoked } from "../../../src/contract/outcome.ts";
import { byNoGrant, connection, on, type Sample, unpublishing, type Way } from "./kit.ts";

const account = { type: "reddit.user_id", value: "t2_ada1" };
const grant = { accessToken: "access-1", refreshToken: "refresh-1", scopes: ["identity"], account };
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const published = unpublishing({ type: "reddit.item", value: "t3_15bfi0" }, grant);
const listing = (...children: readonly object[]) =>
  on(
    200,
    401,
  )({
    status: 200,
    body: { kind: "Listing", data: { children: children.map((data) => ({ kind: "t3", data })) } },
  });
const by = (author: string) => listing({ author: "ada_example", author_fullname: author });
const done = on(200, 204)({ status: 204 });
const me = on(200, 401);
const live = me({ status: 200, body: { id: "ada1", name: "ada_example" } });
const dead = me({ status: 401, body: { message: "Unauthorized", error: 401 } });

export const sample: Sample = {
  settings: {
    clientId: "nobodys-app-id",
    clientSecret: "nobodys-client-secret",
    userAgent: "web:nobodys-app-id:1.0 (by /u/nobody)",
  },
  hooks: {},
  ways: [
    published({ name: "a post", steps: [by("t2_ada1"), on(200, 403)({ status: 200, body: {} })], outcome: erased }),
    published({
      name: "a post of the second account",
      grants: [{ ...grant, account: { type: "reddit.user_id", value: "t2_ada2" } }, grant],
      steps: [by("t2_ada1"), by("t2_ada1"), on(200, 403)({ status: 200, body: {} })],
      outcome: erased,
    }),
    published({
      name: "another's post",
      steps: [by("t2_eve")],
      outcome: byNoGrant("another account has written it"),
    }),
    published({ name: "a post that is gone", steps: [listing()], outcome: notFound }),
    published({
      name: "a post that is nobody's any more",
      steps: [listing({ author: "[deleted]", body: "[deleted]" })],
      outcome: notFound,
    }),
    published({
      name: "a post that outlived its account",
      steps: [listing({ author: "[deleted]", selftext: "What I think" })],
      outcome: byNoGrant("its account is no more, and what was written is still there"),
    }),
    published({
      name: "a grant without edit",
      steps: [by("t2_ada1"), on(200, 403)({ status: 403, body: { message: "Forbidden", error: 403 } })],
      outcome: byNoGrant("Reddit forbids it: the grant is without edit"),
    }),
    published({ name: "it is nobody's", part: "look", steps: [listing({ author: "[deleted]" })], outcome: "absent" }),
    published({
      name: "it outlived its account",
      part: "look",
      steps: [listing({ author: "[deleted]", body: "What I think" })],
      outcome: "present",
    }),
    published({ name: "it is there", part: "look", steps: [by("t2_ada1")], outcome: "present" }),
    way({ name: "both tokens", steps: [done, done], outcome: revoked }),
    way({ name: "an access token alone", grant: { ...grant, refreshToken: "" }, steps: [done], outcome: revoked }),
    way({
      name: "a token of another app",
      steps: [on(200, 204, 400)({ status: 400, body: { error: "unauthorized_client" } })],
      outcome: { outcome: "unforeseen", status: 400, what: "the revocation was refused: unauthorized_client" },
    }),
    way({ name: "it is dead", part: "look", steps: [dead], outcome: "absent" }),
    way({ name: "it lives", part: "look", steps: [live], outcome: "present" }),
  ],
  oauth: {
    token: () => ({
      status: 200,
      body: {
        access_token: "access-1",
        token_type: "bearer",
        expires_in: 3600,
        scope: "identity",
        refresh_token: "refresh-1",
      },
    }),
    asks: [on(200)(live.reply)],
    grant,
    lastsSeconds: 3600,
    renewed: {
      reply: () => ({
        status: 200,
        body: { access_token: "access-2", token_type: "bearer", expires_in: 3600, scope: "identity" },
      }),
      grant: { ...grant, accessToken: "access-2" },
    },
    // As it is for a code; a refresh token's is in the test of its own.
    invalidGrant: { status: 200, body: { error: "invalid_grant" } },
    alive: [
      { name: "alive", steps: [live], outcome: "alive" },
      { name: "over", steps: [dead], outcome: "ended" },
    ],
  },
};
