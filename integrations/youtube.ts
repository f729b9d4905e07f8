import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { securityEvents } from "../src/contract/security-event.ts";
import { text } from "../src/contract/settings.ts";

/**
 * YouTube: people grant the tenant access to their channel, by a Google project of its own. YouTube itself tells us nothing;
 * that the grant ended comes from Google's Cross-Account Protection (RISC), its only inbound, and starts a clock: what was
 * got under the grant is deleted within 30 days. We can tell it nothing without the person's token.
 */
const RISC = "https://developers.google.com/identity/protocols/risc";
const POLICIES = "https://developers.google.com/youtube/terms/developer-policies";
const VIDEOS = "https://developers.google.com/youtube/v3/docs/videos/delete";
const WEB_SERVER = "https://developers.google.com/identity/protocols/oauth2/web-server";

/** Its configuration states the issuer with a slash at times, and its tokens without, or the other way round. */
const ISSUERS = ["https://accounts.google.com/", "https://accounts.google.com"] as const;

const Issuer = z.enum([...ISSUERS, "accounts.google.com"]);
const Text = z.string().min(1).max(255);
const IssSub = z
  .object({ iss: Issuer, sub: Text })
  .transform(({ sub }) => [{ type: "youtube.google_account", value: sub }]);

const account = { iss_sub: IssSub, id_token_claims: IssSub };

const token = {
  oauth_token: z
    .object({ token_type: z.literal("refresh_token"), token_identifier_alg: Text, token: Text })
    .transform(({ token_identifier_alg, token }) => [
      { type: "youtube.refresh_token", value: `${token_identifier_alg}:${token}` },
    ]),
};

/**
 * Section III.E.4: 30 calendar days where consent was revoked at Google. The 7 days of a request that is made to the tenant
 * itself begin there, not here.
 */
const withinMonth = { hours: 30 * 24, source: POLICIES };

export const youtube = defineIntegration({
  id: "youtube",
  name: "YouTube",
  about: "Access to people's channels under their grant.",
  origins: ["https://www.googleapis.com"],
  settings: {
    clientIds: text(
      "All OAuth client ids of the project, separated by commas",
      /^[\w.-]+\.apps\.googleusercontent\.com(\s*,\s*[\w.-]+\.apps\.googleusercontent\.com)*$/,
    ),
  },
  identities: {
    "youtube.google_account": "Google account id, the `sub` of its ID tokens",
    "youtube.refresh_token":
      "One refresh token: `prefix:` and its first 16 characters, or `hash_base64_sha512_sha512:` and its double SHA-512",
  },

  hooks: {
    "security-events": {
      source: RISC,
      verify: {
        scheme: "jwt",
        at: "body",
        keys: "https://www.googleapis.com/oauth2/v3/certs",
        algorithms: ["RS256"],
        issuer: ISSUERS,
        audience: { setting: "clientIds" },
        expires: false,
      },
      contentTypes: ["application/secevent+jwt"],
      read: securityEvents({ account, token }),
      authority: {
        // Unconfirmed: Google documents no deletion of an account; RISC has one, and it is read should it come.
        account_deleted: "everywhere",
        deauthorized: "here",
        token_revoked: "here",
        account_disabled: "record",
        account_restored: "record",
      },
      deadlines: { account_deleted: withinMonth, deauthorized: withinMonth, token_revoked: withinMonth },
      refusal: { status: "secevent", source: RISC },
      retriesForHours: "unknown",
      events: [
        "https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked",
        "https://schemas.openid.net/secevent/oauth/event-type/token-revoked",
        "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
        "https://schemas.openid.net/secevent/risc/event-type/account-enabled",
        "https://schemas.openid.net/secevent/risc/event-type/account-credential-change-required",
        "https://schemas.openid.net/secevent/risc/event-type/sessions-revoked",
        "https://schemas.openid.net/secevent/risc/event-type/verification",
      ],
    },
  },

  oauth: absent("not yet connected by Quittance", WEB_SERVER),

  actions: {
    erase: absent("needs the person's token, which connections will hold", VIDEOS),
    revoke: absent("needs the person's token, which connections will hold", `${WEB_SERVER}#tokenrevoke`),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
