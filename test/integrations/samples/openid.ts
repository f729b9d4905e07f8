import { unforeseen } from "../../../src/contract/call.ts";
import { revoked, stoppedBecause } from "../../../src/contract/outcome.ts";
import { binding, connection, idToken, on, type Sample, type Way } from "./kit.ts";

const AT = "https://id.example.com";
const server = {
  revocation: `${AT}/token/revocation`,
  introspection: `${AT}/token/introspection`,
  userinfo: `${AT}/me`,
};
const account = { type: "openid.subject", value: "ada" };
const issuer = `${AT}/`;
const grant = { accessToken: "access-1", refreshToken: "refresh-1", scopes: ["openid"], account, server, issuer };
const { introspection: _, ...unseen } = server;

const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});

export const sample: Sample = {
  settings: { issuer: AT, clientId: "quittance", clientSecret: "a secret of the tests" },
  hooks: {},
  ways: [
    way({ name: "both tokens", steps: [on(200)({ status: 200 }), on(200)({ status: 200 })], outcome: revoked }),
    way({
      name: "a server that revokes refresh tokens only",
      steps: [on(200)({ status: 200 }), on(200, 400)({ status: 400, body: { error: "unsupported_token_type" } })],
      outcome: revoked,
    }),
    way({
      name: "no revocation endpoint",
      grant: { ...grant, server: {} },
      steps: [],
      outcome: stoppedBecause("the provider has no revocation endpoint; the tokens held here are destroyed"),
    }),
    way({
      name: "it is dead",
      part: "look",
      steps: [on(200)({ status: 200, body: { active: false } })],
      outcome: "absent",
    }),
    way({
      name: "it lives",
      part: "look",
      steps: [on(200)({ status: 200, body: { active: true } })],
      outcome: "present",
    }),
    way({
      name: "the provider refuses the dead token, whose proof is good",
      part: "look",
      grant: { ...grant, server: unseen, binding: { key: binding.key } },
      steps: [
        on(200, 401)({ status: 401, headers: { "www-authenticate": 'DPoP error="invalid_token", algs="ES256"' } }),
      ],
      outcome: "absent",
    }),
    way({
      name: "the provider refuses the proof, which says nothing of the token",
      part: "look",
      grant: { ...grant, server: unseen, binding: { key: binding.key } },
      steps: [on(200, 401)({ status: 401, headers: { "www-authenticate": 'DPoP error="invalid_dpop_proof"' } })],
      outcome: unforeseen({ status: 401 }),
    }),
    way({
      name: "the provider refuses the dead token",
      part: "look",
      grant: { ...grant, server: unseen },
      steps: [on(200, 401)({ status: 401 })],
      outcome: "absent",
    }),
  ],
  oauth: {
    discovery: {
      status: 200,
      body: {
        issuer: AT,
        authorization_endpoint: `${AT}/auth`,
        token_endpoint: `${AT}/token`,
        revocation_endpoint: server.revocation,
        introspection_endpoint: server.introspection,
        userinfo_endpoint: server.userinfo,
        pushed_authorization_request_endpoint: `${AT}/request`,
        dpop_signing_alg_values_supported: ["ES256", "EdDSA"],
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
        // Another host's is not used.
        jwks_uri: "https://elsewhere.example/jwks",
        authorization_response_iss_parameter_supported: true,
      },
    },
    token: (asked) => ({
      status: 200,
      body: {
        access_token: "access-1",
        refresh_token: "refresh-1",
        token_type: "Bearer",
        expires_in: 3600,
        scope: "openid",
        id_token: idToken(asked, "ada"),
      },
    }),
    asks: [],
    grant,
    lastsSeconds: 3600,
    renewed: {
      reply: () => ({
        status: 200,
        body: { access_token: "access-2", refresh_token: "refresh-2", token_type: "Bearer", expires_in: 3600 },
      }),
      grant: { ...grant, accessToken: "access-2", refreshToken: "refresh-2" },
    },
    invalidGrant: { status: 400, body: { error: "invalid_grant", error_description: "grant request is invalid" } },
    alive: [
      { name: "alive", steps: [on(200)({ status: 200, body: { active: true } })], outcome: "alive" },
      { name: "over", steps: [on(200)({ status: 200, body: { active: false } })], outcome: "ended" },
    ],
  },
};
