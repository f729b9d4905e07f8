import { erased, notFound } from "../../../src/contract/outcome.ts";
import { granted } from "./google-grants.ts";
import { byNoGrant, type HookSample, on, type Sample, signal, unpublishing } from "./kit.ts";

const uri = (profile: string, name: string) => `https://schemas.openid.net/secevent/${profile}/event-type/${name}`;
const PERSON = "100000000000000000001";
const account = { type: "youtube.google_account", value: PERSON };
const token = { type: "youtube.refresh_token", value: `prefix:${PERSON}` };

const events: HookSample = {
  [uri("oauth", "tokens-revoked")]: (at) => [signal("deauthorized", account, at)],
  [uri("oauth", "token-revoked")]: (at) => [signal("token_revoked", token, at)],
  [uri("risc", "account-disabled")]: (at) => [signal("account_disabled", account, at)],
  [uri("risc", "account-enabled")]: (at) => [signal("account_restored", account, at)],
  [uri("risc", "account-credential-change-required")]: () => [],
  [uri("risc", "sessions-revoked")]: () => [],
  [uri("risc", "verification")]: () => [],
};

const grants = granted(account, ["openid", "https://www.googleapis.com/auth/youtube.readonly"]);
const published = unpublishing(
  { type: "youtube.video", value: "dQw4w9WgXcQ" },
  {
    accessToken: "ya29.1",
    refreshToken: "1//1",
    scopes: ["openid", "https://www.googleapis.com/auth/youtube.force-ssl"],
    account,
  },
);
const deletion = on(204, 401, 403, 404);
const onList = on(200, 401, 403);
const refusal = (code: number, reason: string) =>
  deletion({ status: code, body: { error: { code, message: "no", errors: [{ domain: "youtube", reason }] } } });

export const sample: Sample = {
  settings: {
    clientIds: "123456789-abcdefgh.apps.googleusercontent.com, 123456789-ijklmnop.apps.googleusercontent.com",
    clientId: "123456789-abcdefgh.apps.googleusercontent.com",
    clientSecret: "nobodys-client-secret",
  },
  hooks: { "security-events": events },
  ...grants,
  ways: [
    ...grants.ways,
    published({ name: "a video", steps: [deletion({ status: 204 })], outcome: erased }),
    published({ name: "a video that is gone", steps: [refusal(404, "videoNotFound")], outcome: notFound }),
    published({
      name: "another channel's video",
      steps: [refusal(403, "forbidden")],
      outcome: byNoGrant("YouTube forbids it: another channel's, or a scope is missing"),
    }),
    published({
      name: "a token that is dead",
      steps: [deletion({ status: 401, body: {} })],
      outcome: byNoGrant("YouTube does not take its token any more"),
    }),
    published({
      name: "the project's quota is used up",
      steps: [refusal(403, "quotaExceeded")],
      outcome: { outcome: "slow_down", seconds: 3600 },
    }),
    published({
      name: "it is gone",
      part: "look",
      steps: [onList({ status: 200, body: { items: [] } })],
      outcome: "absent",
    }),
    published({
      name: "nobody can look before tomorrow",
      part: "look",
      steps: [onList({ status: 403, body: { error: { code: 403, errors: [{ reason: "quotaExceeded" }] } } })],
      outcome: { outcome: "slow_down", seconds: 3600 },
    }),
    published({
      name: "its token is of no use any more",
      part: "look",
      steps: [onList({ status: 401 })],
      outcome: "no_view",
    }),
    published({
      name: "it is there",
      part: "look",
      steps: [onList({ status: 200, body: { items: [{ id: "dQw4w9WgXcQ" }] } })],
      outcome: "present",
    }),
  ],
};
