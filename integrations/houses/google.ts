import { z } from "zod";
import { type Address, at, bearer, get, postForm, unforeseen } from "../../src/contract/call.ts";
import type { Hook, Order, Steps } from "../../src/contract/integration.ts";
import { accountIn, errorIn, type Grant, grantOf, type OAuth } from "../../src/contract/oauth.ts";
import { type Answer, revoked, type Sight } from "../../src/contract/outcome.ts";
import { securityEvents } from "../../src/contract/security-event.ts";
import { optional, type SettingValues, secret, text } from "../../src/contract/settings.ts";

/** What Google's products have in common: Cross-Account Protection (RISC), and the project's client ids. */
export const RISC = "https://developers.google.com/identity/protocols/risc";
export const WEB_SERVER = "https://developers.google.com/identity/protocols/oauth2/web-server";

export const clientIds = text(
  "All OAuth client ids of the project, separated by commas",
  /^[\w.-]+\.apps\.googleusercontent\.com(\s*,\s*[\w.-]+\.apps\.googleusercontent\.com)*$/,
);

export const clientSettings = {
  clientId: optional(text("OAuth client id with which people connect", /^\d+-[\w.-]+\.apps\.googleusercontent\.com$/)),
  clientSecret: optional(secret("OAuth client secret")),
};
type ClientSettings = typeof clientSettings;

export const ORIGINS = ["https://oauth2.googleapis.com", "https://openidconnect.googleapis.com"] as const;

const TOKEN: Address = at`https://oauth2.googleapis.com/token`;

/**
 * How people grant access to a Google project. A refresh token comes with the consent page only, so that is always shown; an ID
 * token says whose grant it is, by its `sub`.
 */
export const grants = (type: string, scopes: readonly string[]): OAuth => ({
  source: WEB_SERVER,
  server: {
    issuer: "https://accounts.google.com",
    authorize: "https://accounts.google.com/o/oauth2/v2/auth",
    token: TOKEN.url,
  },
  client: { id: "clientId", secret: "clientSecret", by: "post" },
  pkce: "S256",
  scopes: { standard: ["openid", ...scopes] },
  parameters: { access_type: "offline", prompt: "consent" },
  openid: true,
  account: ({ claims }) => accountIn(type, claims, "sub"),
  refresh: { source: `${WEB_SERVER}#offline` },
  // Cross-Account Protection repeats little, so that the vendor is asked as well.
  *alive({ grant }) {
    const sight = yield* userinfo(grant);
    if (sight === "absent") return "ended";
    return sight === "present" || sight === "no_view" ? "alive" : sight;
  },
  // "If the token is an access token and it has a corresponding refresh token, the refresh token will also be revoked"; and with
  // it all that the account has granted to the project, for each of its clients.
  kills: "account",
  family: { name: "google", project: (clientId) => clientId.split("-")[0] ?? clientId },
});

function* userinfo({ accessToken }: Grant): Steps<Sight> {
  const reply = yield get(at`https://openidconnect.googleapis.com/v1/userinfo`, bearer(accessToken), {
    expects: [401],
  });
  if (reply.status === 401) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply);
}

type Held = Pick<Order<ClientSettings>, "grant" | "settings">;

/** 400 with `invalid_token` says that there is nothing left to revoke, which is the end of it as well. */
export function* revokeAtGoogle(order: Held): Steps<Answer> {
  const { accessToken, refreshToken } = grantOf(order);
  const token = refreshToken === "" ? accessToken : refreshToken;
  const reply = yield postForm(at`https://oauth2.googleapis.com/revoke`, {}, [["token", token]]);
  if (reply.status === 200 || (reply.status === 400 && errorIn(reply) === "invalid_token")) return revoked;
  return unforeseen(reply);
}

/** The refresh token once more: `invalid_grant` says that the grant is dead. Access tokens end by themselves within the hour. */
export function* lookAtGoogle(order: Held): Steps<Sight> {
  const grant = grantOf(order);
  if (grant.refreshToken === "") return yield* userinfo(grant);
  const { clientId, clientSecret }: SettingValues<ClientSettings> = order.settings;
  const reply = yield postForm(TOKEN, { accept: "application/json" }, [
    ["grant_type", "refresh_token"],
    ["refresh_token", grant.refreshToken],
    ["client_id", clientId],
    ["client_secret", clientSecret],
  ]);
  if (reply.status === 400 && errorIn(reply) === "invalid_grant") return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply);
}

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
