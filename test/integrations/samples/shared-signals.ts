import type { HookSample, Sample } from "./kit.ts";
import { signal } from "./kit.ts";

const subject = { type: "shared-signals.subject", value: "https://idp.example.com/#248289761001" };
const uri = (profile: string, name: string) => `https://schemas.openid.net/secevent/${profile}/event-type/${name}`;
const nothing = (profile: string, ...names: readonly string[]): HookSample =>
  Object.fromEntries(names.map((name) => [uri(profile, name), () => []]));

export const sample: Sample = {
  settings: {
    issuer: "https://idp.example.com/",
    keys: "https://idp.example.com/jwks.json",
    audience: "https://product.example.com/signals",
  },
  hooks: {
    events: {
      [uri("risc", "account-purged")]: (at) => [signal("account_deleted", subject, at)],
      [uri("risc", "account-disabled")]: (at) => [signal("account_disabled", subject, at)],
      [uri("risc", "account-enabled")]: (at) => [signal("account_restored", subject, at)],
      [uri("oauth", "tokens-revoked")]: (at) => [signal("deauthorized", subject, at)],
      [uri("oauth", "token-revoked")]: (at) => [
        signal("token_revoked", { type: "shared-signals.token", value: "prefix:248289761001" }, at),
      ],
      ...nothing("risc", "account-credential-change-required", "identifier-changed", "identifier-recycled"),
      ...nothing("risc", "credential-compromise", "sessions-revoked", "recovery-activated"),
      ...nothing("risc", "recovery-information-changed", "opt-in", "opt-out-initiated", "opt-out-cancelled"),
      ...nothing("risc", "opt-out-effective"),
      ...nothing("caep", "session-revoked", "session-established", "session-presented", "token-claims-change"),
      ...nothing("caep", "credential-change", "assurance-level-change", "device-compliance-change"),
      ...nothing("caep", "risk-level-change"),
      ...nothing("ssf", "verification", "stream-updated"),
    },
  },
  ways: [],
};
