import { granted } from "./google-grants.ts";
import { type HookSample, type Sample, signal } from "./kit.ts";

const uri = (profile: string, name: string) => `https://schemas.openid.net/secevent/${profile}/event-type/${name}`;
const PERSON = "100000000000000000001";
const account = { type: "google.sub", value: PERSON };
const token = { type: "google.refresh_token", value: `prefix:${PERSON}` };

const events: HookSample = {
  [uri("oauth", "tokens-revoked")]: (at) => [signal("deauthorized", account, at)],
  [uri("oauth", "token-revoked")]: (at) => [signal("token_revoked", token, at)],
  [uri("risc", "account-disabled")]: (at) => [signal("account_disabled", account, at)],
  [uri("risc", "account-enabled")]: (at) => [signal("account_restored", account, at)],
  [uri("risc", "account-credential-change-required")]: () => [],
  [uri("risc", "sessions-revoked")]: () => [],
  [uri("risc", "verification")]: () => [],
};

export const sample: Sample = {
  settings: {
    clientIds: "123456789-abcdefgh.apps.googleusercontent.com, 123456789-ijklmnop.apps.googleusercontent.com",
    clientId: "123456789-abcdefgh.apps.googleusercontent.com",
    clientSecret: "nobodys-client-secret",
  },
  hooks: { "security-events": events },
  ...granted(account, ["openid", "email", "profile"]),
};
