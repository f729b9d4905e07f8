import { z } from "zod";
import type { Hook } from "../../src/contract/integration.ts";
import { securityEvents } from "../../src/contract/security-event.ts";
import { text } from "../../src/contract/settings.ts";

/** What Google's products have in common: Cross-Account Protection (RISC), and the project's client ids. */
export const RISC = "https://developers.google.com/identity/protocols/risc";
export const WEB_SERVER = "https://developers.google.com/identity/protocols/oauth2/web-server";

export const clientIds = text(
  "All OAuth client ids of the project, separated by commas",
  /^[\w.-]+\.apps\.googleusercontent\.com(\s*,\s*[\w.-]+\.apps\.googleusercontent\.com)*$/,
);

export const ACCOUNT = "Google account id, the `sub` of its ID tokens";
export const REFRESH_TOKEN =
  "One refresh token: `prefix:` and its first 16 characters, or `hash_base64_sha512_sha512:` and its double SHA-512";

/** Its configuration states the issuer with a slash at times, and its tokens without, or the other way round. */
const ISSUERS = ["https://accounts.google.com/", "https://accounts.google.com"] as const;

/** ID tokens once had an issuer without its scheme, and a subject may be their claims. */
const Issuer = z.enum([...ISSUERS, "accounts.google.com"]);
const Text = z.string().min(1).max(255);

const RISC_EVENTS = "https://schemas.openid.net/secevent/risc/event-type";
const OAUTH_EVENTS = "https://schemas.openid.net/secevent/oauth/event-type";

/**
 * In Google's dialect the subject stands inside the event, as `iss-sub` or `id_token_claims`; the final RISC form is read too.
 * The product says which identity types an account and a refresh token are of, and whether an e-mail address alone names somebody.
 */
export function crossAccountProtection(
  types: { readonly account: string; readonly token: string; readonly email?: true },
  deadlines?: Hook["deadlines"],
): Hook {
  const byId = z.object({ iss: Issuer, sub: Text }).transform(({ sub }) => [{ type: types.account, value: sub }]);
  const byEmail = z
    .object({ iss: Issuer, sub: z.undefined().optional(), email: Text })
    .transform(({ email }) => [{ type: "email", value: email }]);
  const byToken = z
    // Only refresh tokens; `prefix` is the first 16 characters.
    .object({ token_type: z.literal("refresh_token"), token_identifier_alg: Text, token: Text })
    .transform(({ token_identifier_alg, token }) => [{ type: types.token, value: `${token_identifier_alg}:${token}` }]);
  return {
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
    read: securityEvents({
      account: { iss_sub: byId, id_token_claims: types.email === true ? z.union([byId, byEmail]) : byId },
      token: { oauth_token: byToken },
    }),
    authority: {
      // Unconfirmed: Google documents no deletion of an account; RISC has one, and it is read should it come.
      account_deleted: "everywhere",
      deauthorized: "here",
      token_revoked: "here",
      account_disabled: "record",
      account_restored: "record",
    },
    ...(deadlines !== undefined && { deadlines }),
    refusal: { status: "secevent", source: RISC },
    retriesForHours: "unknown",
    events: [
      `${OAUTH_EVENTS}/tokens-revoked`,
      `${OAUTH_EVENTS}/token-revoked`,
      `${RISC_EVENTS}/account-disabled`,
      `${RISC_EVENTS}/account-enabled`,
      `${RISC_EVENTS}/account-credential-change-required`,
      `${RISC_EVENTS}/sessions-revoked`,
      `${RISC_EVENTS}/verification`,
    ],
  };
}
