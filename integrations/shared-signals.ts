import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { securityEvents } from "../src/contract/security-event.ts";
import { endpoint, optional, secret, text } from "../src/contract/settings.ts";

/**
 * Any transmitter of the OpenID Shared Signals Framework, whether it pushes (RFC 8935) or is polled (RFC 8936): an identity
 * provider, a sign-in service, a security product. It holds the accounts that it reports on.
 * It tells us when an account there was deleted, disabled or enabled, and when its tokens were revoked. We tell it nothing.
 */
const FRAMEWORK = "https://openid.net/specs/openid-sharedsignals-framework-1_0.html";
const PUSH = "https://www.rfc-editor.org/rfc/rfc8935.html";

/** Two of them and what joins them fit into an identity. */
const Text = z.string().min(1).max(255);

const own = (type: string, value: string) => [{ type: `shared-signals.${type}`, value }];

/** RFC 9493 section 3.2, and the formats of the OAuth event types. An issuer has no fragment, so the first # ends it. */
const account = {
  iss_sub: z.object({ iss: Text, sub: Text }).transform(({ iss, sub }) => own("subject", `${iss}#${sub}`)),
  opaque: z.object({ id: Text }).transform(({ id }) => own("opaque", id)),
  account: z.object({ uri: Text }).transform(({ uri }) => own("account", uri)),
  uri: z.object({ uri: Text }).transform(({ uri }) => own("uri", uri)),
  email: z.object({ email: Text }).transform(({ email }) => [{ type: "email", value: email }]),
  phone_number: phone(),
  // RISC and the framework's own examples say "phone".
  phone: phone(),
  // A DID URL may point into the document; the person is the DID.
  did: z
    .object({ url: Text.regex(/^did:[a-z0-9]+:[^/?#]+/) })
    .transform(({ url }) => [{ type: "did", value: url.split(/[/?#]/)[0] ?? url }]),
};

const token = {
  oauth_token: z
    .object({ token_identifier_alg: Text, token: Text })
    .transform(({ token_identifier_alg, token }) => own("token", `${token_identifier_alg}:${token}`)),
};

function phone() {
  return z.object({ phone_number: Text }).transform(({ phone_number }) => [{ type: "phone", value: phone_number }]);
}

const of = (profile: string, ...names: readonly string[]) =>
  names.map((name) => `https://schemas.openid.net/secevent/${profile}/event-type/${name}`);

export const sharedSignals = defineIntegration({
  id: "shared-signals",
  name: "Shared Signals transmitter",
  about: "Reports on accounts that people of the tenant have elsewhere, by the OpenID Shared Signals Framework.",
  origins: [],
  settings: {
    issuer: text("Issuer, exactly as the transmitter's configuration states it", /^https:\/\/\S+$/),
    keys: endpoint("Address of its key set (jwks_uri)"),
    audience: text("Audience of the stream"),
    authorization: optional(
      secret("What the transmitter sends as Authorization with each push", /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/),
    ),
    poll: optional(endpoint("Address where the stream is polled, if it was agreed by hand")),
    management: optional(endpoint("An address at the origin of its stream management, if that is not the issuer's")),
    token: optional(secret("Access token for its stream management and polling")),
    tokenEndpoint: optional(endpoint("Token endpoint, where access tokens are had by client credentials")),
    clientId: optional(text("Client id at the token endpoint")),
    clientSecret: optional(secret("Client secret at the token endpoint")),
    scope: optional(
      text("Scopes to ask the token endpoint for", /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/),
    ),
  },
  identities: {
    "shared-signals.subject": "Issuer and subject, joined by #: https://idp.example.com/#248289761001",
    "shared-signals.opaque": "Opaque id that the transmitter uses for the person",
    "shared-signals.account": "Account URI, acct:ada@example.com",
    "shared-signals.uri": "Any other URI that stands for the person",
    "shared-signals.token": "One OAuth token: how it is identified, a colon, the identifier",
  },

  hooks: {
    events: {
      source: PUSH,
      verify: {
        scheme: "jwt",
        at: "body",
        keys: { setting: "keys" },
        // The interoperability profile asks for RS256; transmitters outside it sign with the others.
        algorithms: ["RS256", "PS256", "ES256", "EdDSA"],
        // The explicit type keeps an ID token of the same issuer from being taken for an event.
        typ: "secevent+jwt",
        issuer: { setting: "issuer" },
        audience: { setting: "audience" },
        // It tells of the past. 1.0 forbids `exp`; transmitters of its drafts still send one.
        expires: false,
        also: { scheme: "shared-secret", key: "authorization", at: { header: "authorization" } },
        explains: true,
      },
      contentTypes: ["application/secevent+jwt"],
      read: securityEvents({ account, token }),
      authority: {
        // A token states a fact and asks for nothing (RFC 8417): the account there is gone, which is no wish to be forgotten
        // elsewhere. Where it is the person's only account, the policy says "everywhere".
        account_deleted: "here",
        deauthorized: "here",
        token_revoked: "here",
        account_disabled: "record",
        account_restored: "record",
      },
      refusal: { status: "secevent", source: PUSH },
      transmitter: {
        source: FRAMEWORK,
        events: [
          ...of("risc", "account-purged", "account-disabled", "account-enabled"),
          ...of("oauth", "token-revoked", "tokens-revoked"),
        ],
        issuer: "issuer",
        audience: "audience",
        management: "management",
        poll: "poll",
        token: "token",
        tokenEndpoint: "tokenEndpoint",
        clientId: "clientId",
        clientSecret: "clientSecret",
        scope: "scope",
        authorization: "authorization",
      },
      retriesForHours: "unknown",
      events: [
        ...of("risc", "account-purged", "account-disabled", "account-enabled", "account-credential-change-required"),
        ...of("risc", "identifier-changed", "identifier-recycled", "credential-compromise", "sessions-revoked"),
        ...of("risc", "opt-in", "opt-out-initiated", "opt-out-cancelled", "opt-out-effective"),
        ...of("risc", "recovery-activated", "recovery-information-changed"),
        ...of("oauth", "token-revoked", "tokens-revoked"),
        ...of("caep", "session-revoked", "session-established", "session-presented", "token-claims-change"),
        ...of("caep", "credential-change", "assurance-level-change", "device-compliance-change", "risk-level-change"),
        ...of("ssf", "verification", "stream-updated"),
      ],
    },
  },

  oauth: absent("a stream is agreed between two services; no person grants it", FRAMEWORK),

  actions: {
    erase: absent("the framework has no request to erase; a transmitter's own API may have", FRAMEWORK),
    revoke: absent("the framework has no request to end a grant", FRAMEWORK),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
