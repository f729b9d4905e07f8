import { unforeseen } from "../../../src/contract/call.ts";
import { erased, revoked, stoppedBecause } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import { binding, byNoGrant, connection, on, type Sample, unpublishing, type Way } from "./kit.ts";

const did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz";
const account = { type: "bluesky.did", value: did };
const post = { type: "bluesky.post", value: `at://${did}/app.bsky.feed.post/3kb3fge5lm32x` };

const says = (type: Signal["type"], identity: Signal["identity"]) => (at: number) => [{ type, identity, at }];

/** As Jetstream's own documents have them. */
const message = (at: number, more: object) => JSON.stringify({ did, time_us: at * 1000, ...more });
const status = (name: string | undefined) => (at: number) =>
  message(at, {
    kind: "account",
    account: {
      active: name === undefined,
      ...(name !== undefined && { status: name }),
      did,
      seq: 1_409_753_013,
      time: new Date(at).toISOString(),
    },
  });

const AT = "https://bsky.social";
const server = {
  issuer: AT,
  authorize: `${AT}/oauth/authorize`,
  token: `${AT}/oauth/token`,
  pushed: `${AT}/oauth/par`,
  revocation: `${AT}/oauth/revoke`,
  userinfo: "https://morel.us-east.host.bsky.network/xrpc/com.atproto.server.getSession",
};
const grant = { accessToken: "access-1", refreshToken: "refresh-1", scopes: ["atproto"], account, server, binding };
const { revocation: _, ...unrevoking } = server;
const published = unpublishing(post, grant);
const deletion = on(200, 401, 403);

const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});

const dead = { status: 401, headers: { "www-authenticate": 'DPoP error="invalid_token", algs="ES256"' } };
const session = { status: 200, body: { did, handle: "ada.example.com", active: true } };

export const sample: Sample = {
  settings: { tapPassword: "dev_tap_password_0123456789" },
  hooks: {
    tap: {
      "user deleted": says("account_deleted", account),
      "user takendown": says("account_deleted", account),
      "user suspended": says("account_disabled", account),
      "user deactivated": says("account_disabled", account),
      "user active": says("account_restored", account),
      "record delete": says("content_deleted", post),
    },
  },
  streams: {
    network: {
      "account deleted": { message: status("deleted"), says: says("account_deleted", account) },
      "account takendown": { message: status("takendown"), says: says("account_deleted", account) },
      "account suspended": { message: status("suspended"), says: says("account_disabled", account) },
      "account deactivated": { message: status("deactivated"), says: says("account_disabled", account) },
      "account active": { message: status(undefined), says: says("account_restored", account) },
      "account other": { message: status("desynchronized"), says: () => [] },
      identity: {
        message: (at) =>
          message(at, {
            kind: "identity",
            identity: { did, handle: "ada.example.com", seq: 1_409_752_997, time: new Date(at).toISOString() },
          }),
        says: () => [],
      },
      "post deleted": {
        message: (at) =>
          message(at, {
            kind: "commit",
            commit: {
              rev: "3l3f6nzl3cv2s",
              operation: "delete",
              collection: "app.bsky.feed.post",
              rkey: "3kb3fge5lm32x",
            },
          }),
        says: says("content_deleted", post),
      },
    },
  },
  ways: [
    published({ name: "a post", steps: [deletion({ status: 200, body: {} })], outcome: erased }),
    published({
      name: "a post of the person's other account",
      grants: [{ ...grant, account: { type: "bluesky.did", value: "did:web:example.org" } }, grant],
      steps: [deletion({ status: 200, body: {} })],
      outcome: erased,
    }),
    published({
      name: "a grant that does not reach so far",
      steps: [deletion({ status: 403, body: { error: "ScopeMissingError", message: "no" } })],
      outcome: byNoGrant("the account's host forbids it: the grant does not reach so far"),
    }),
    published({
      name: "a session that is over",
      steps: [deletion({ status: 401, body: { error: "invalid_token" } })],
      outcome: byNoGrant("the account's host does not take its token any more"),
    }),
    published({
      name: "what is no record's address",
      identity: { type: "bluesky.post", value: "https://bsky.app/profile/ada.example.com/post/3kb3fge5lm32x" },
      steps: [],
      outcome: unforeseen({ status: 0 }, "a record is registered by its address, at://{did}/{collection}/{key}"),
    }),
    published({
      name: "it is gone",
      part: "look",
      steps: [on(200, 400)({ status: 400, body: { error: "RecordNotFound", message: "Could not locate record" } })],
      outcome: "absent",
    }),
    published({
      name: "it is there",
      part: "look",
      steps: [on(200, 400)({ status: 200, body: { uri: post.value, cid: "bafyrei", value: { text: "meadow" } } })],
      outcome: "present",
    }),
    way({
      name: "both tokens",
      steps: [on(200)({ status: 200, body: {} }), on(200)({ status: 200, body: {} })],
      outcome: revoked,
    }),
    way({
      name: "a server that does not know us any more",
      steps: [on(200, 401)({ status: 401, body: { error: "invalid_client" } })],
      outcome: unforeseen({ status: 401 }, "the revocation was refused: invalid_client"),
    }),
    way({
      name: "no revocation endpoint",
      grant: { ...grant, server: unrevoking },
      steps: [],
      outcome: stoppedBecause("the person's server has no revocation endpoint; the tokens held here are destroyed"),
    }),
    way({
      name: "it is dead",
      part: "look",
      steps: [on(200, 400)({ status: 400, body: { error: "invalid_grant" } })],
      outcome: "absent",
    }),
    way({
      name: "it lives",
      part: "look",
      steps: [
        on(200, 400)({ status: 200, body: { access_token: "a", refresh_token: "r", token_type: "DPoP", sub: did } }),
      ],
      outcome: "present",
    }),
    way({
      name: "no refresh token, and its host refuses the other",
      part: "look",
      grant: { ...grant, refreshToken: "" },
      steps: [on(200, 401)(dead)],
      outcome: "absent",
    }),
    way({
      name: "no refresh token, and a refusal that is not the token's",
      part: "look",
      grant: { ...grant, refreshToken: "" },
      steps: [on(200, 401)({ status: 401, headers: { "www-authenticate": 'DPoP error="use_dpop_nonce"' } })],
      outcome: unforeseen({ status: 401 }),
    }),
  ],
  oauth: {
    token: () => ({
      status: 200,
      body: {
        access_token: "access-1",
        refresh_token: "refresh-1",
        token_type: "DPoP",
        expires_in: 900,
        scope: "atproto",
        sub: did,
      },
    }),
    asks: [],
    grant,
    lastsSeconds: 900,
    renewed: {
      reply: () => ({
        status: 200,
        body: {
          access_token: "access-2",
          refresh_token: "refresh-2",
          token_type: "DPoP",
          expires_in: 900,
          scope: "atproto",
          sub: did,
        },
      }),
      grant: { ...grant, accessToken: "access-2", refreshToken: "refresh-2" },
    },
    invalidGrant: { status: 400, body: { error: "invalid_grant", error_description: "Invalid refresh token" } },
    alive: [
      { name: "alive", steps: [on(200, 401)(session)], outcome: "alive" },
      { name: "dead", steps: [on(200, 401)(dead)], outcome: "ended" },
      {
        name: "refused for another reason",
        steps: [on(200, 401)({ status: 401 })],
        outcome: unforeseen({ status: 401 }),
      },
    ],
  },
};
