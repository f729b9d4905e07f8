import { absent, defineIntegration, type Steps } from "../src/contract/integration.ts";
import {
  accountIn,
  type ClientProof,
  CONNECTION,
  type Grant,
  grantOf,
  introspect,
  revokeTokens,
  tokenSight,
} from "../src/contract/oauth.ts";
import { type Sight, stoppedBecause } from "../src/contract/outcome.ts";
import { endpoint, optional, type SettingValues, secret, text } from "../src/contract/settings.ts";

/**
 * Any OpenID provider: the tenant's identity provider, a sign-in service, an authorization server that describes itself. It
 * holds the accounts with which people sign in, which are theirs and not the tenant's to erase; what the tenant has of them is the grant.
 */
const CORE = "https://openid.net/specs/openid-connect-core-1_0.html";
const REVOCATION = "https://www.rfc-editor.org/rfc/rfc7009.html";

const settings = {
  issuer: endpoint("Issuer, exactly as the provider states it; what it offers is read from there"),
  clientId: text("Client id"),
  clientSecret: secret("Client secret"),
  dpop: optional(text("DPoP: required, where tokens have to be bound to a key that stays here", /^required$/)),
};

const clientOf = ({ clientId, clientSecret }: SettingValues<typeof settings>): ClientProof => ({
  id: clientId,
  secret: clientSecret,
  by: "basic",
});

/**
 * Introspection says whether a token is good; where it is not offered, the provider's own refusal of the token does (RFC 6750
 * section 3.1).
 */
function* sightOf(grant: Grant, client: ClientProof): Steps<Sight> {
  const { introspection, userinfo } = grant.server ?? {};
  if (introspection !== undefined) return yield* introspect(introspection, grant.accessToken, client);
  if (userinfo === undefined) return "no_view";
  return yield* tokenSight({ url: userinfo, template: userinfo }, grant);
}

export const openid = defineIntegration({
  id: "openid",
  name: "OpenID provider",
  about:
    "Any OpenID provider with which people sign in or which they let give access: discovery, PKCE, pushed requests, DPoP, refresh, revocation.",
  origins: [],
  settings,
  identities: { "openid.subject": "The account at this provider (`sub`)" },
  hooks: absent(
    "providers tell of the end of accounts and tokens by Shared Signals, which is an integration of its own",
    "https://openid.net/specs/openid-sharedsignals-framework-1_0.html",
  ),
  oauth: {
    source: CORE,
    server: { discovered: "issuer" },
    client: { id: "clientId", secret: "clientSecret", by: "basic", dpop: "dpop" },
    pkce: "S256",
    scopes: { standard: ["openid"] },
    openid: true,
    account({ claims }) {
      return accountIn("openid.subject", claims, "sub");
    },
    refresh: { source: `${CORE}#RefreshTokens` },
    *alive({ settings, grant }) {
      const sight = yield* sightOf(grant, clientOf(settings));
      if (sight === "absent") return "ended";
      return sight === "present" || sight === "no_view" ? "alive" : sight;
    },
    // RFC 7009 section 2.1: the token and, with a refresh token, the access tokens of the same grant.
    kills: "grant",
  },
  actions: {
    erase: absent("the account is the person's own, and not the tenant's to delete", CORE),
    revoke: {
      source: REVOCATION,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const grant = grantOf(order);
        const { revocation } = grant.server ?? {};
        if (revocation === undefined)
          return stoppedBecause("the provider has no revocation endpoint; the tokens held here are destroyed");
        return yield* revokeTokens(revocation, grant, clientOf(order.settings));
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          return yield* sightOf(grantOf(order), clientOf(order.settings));
        },
      },
    },
  },
  residuals: [],
  retainable: [],
  limits: { connections: 4 },
});
