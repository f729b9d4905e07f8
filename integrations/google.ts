import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { securityEvents } from "../src/contract/security-event.ts";
import { text } from "../src/contract/settings.ts";

/**
 * Google accounts: people sign in to the tenant's product with them, and grant it access to Gmail, Calendar and the rest of
 * Workspace. It tells us, by Cross-Account Protection (RISC), when a grant ends or an account is disabled; only of people who
 * granted `profile` or `email`, and with few retries, so a refused refresh says the same. We can tell it nothing without the
 * person's token.
 */
const RISC = "https://developers.google.com/identity/protocols/risc";
const WEB_SERVER = "https://developers.google.com/identity/protocols/oauth2/web-server";

/** Its configuration states the issuer with a slash at times, and its tokens without, or the other way round. */
const ISSUERS = ["https://accounts.google.com/", "https://accounts.google.com"] as const;

/** ID tokens once had an issuer without its scheme, and a subject may be their claims. */
const Issuer = z.enum([...ISSUERS, "accounts.google.com"]);
const Text = z.string().min(1).max(255);
const person = (sub: string) => [{ type: "google.sub", value: sub }];
const IssSub = z.object({ iss: Issuer, sub: Text }).transform(({ sub }) => person(sub));

/** In Google's dialect the subject stands inside the event, as `iss-sub` or `id_token_claims`; the final RISC form is read too. */
const account = {
  iss_sub: IssSub,
  id_token_claims: z.union([
    IssSub,
    z
      .object({ iss: Issuer, sub: z.undefined().optional(), email: Text })
      .transform(({ email }) => [{ type: "email", value: email }]),
  ]),
};

/** Only refresh tokens; `prefix` is the first 16 characters. */
const token = {
  oauth_token: z
    .object({ token_type: z.literal("refresh_token"), token_identifier_alg: Text, token: Text })
    .transform(({ token_identifier_alg, token }) => [
      { type: "google.refresh_token", value: `${token_identifier_alg}:${token}` },
    ]),
};

export const google = defineIntegration({
  id: "google",
  name: "Google",
  about: "Sign-in with Google accounts, and access to Workspace under a person's grant.",
  origins: ["https://www.googleapis.com"],
  settings: {
    clientIds: text(
      "All OAuth client ids of the project, separated by commas",
      /^[\w.-]+\.apps\.googleusercontent\.com(\s*,\s*[\w.-]+\.apps\.googleusercontent\.com)*$/,
    ),
  },
  identities: {
    "google.sub": "Google account id, the `sub` of its ID tokens",
    "google.refresh_token":
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
        // Google does not document the header's type; what tells an event from an ID token is that it has events.
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
    erase: absent("Google offers no API that erases what it holds about a person as their own controller", WEB_SERVER),
    revoke: absent("needs the person's token, which connections will hold", `${WEB_SERVER}#tokenrevoke`),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
