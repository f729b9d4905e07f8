import { exportPKCS8, generateKeyPair } from "jose";
import { revoked } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import { type Asked, connection, idToken, on, type Sample, type Way } from "./kit.ts";

const identity = { type: "apple.sub", value: "000001.0123456789abcdef0123456789abcdef.0001" };
/** Apple says when it happened to the millisecond: here, 12.3 seconds before it was sent. */
const told = (type: Signal["type"]) => (at: number) => [{ type, identity, at: at - 12_300 }];

const { privateKey } = await generateKeyPair("ES256", { extractable: true });
const grant = { accessToken: "a1.0.access", refreshToken: "r1.0.refresh", scopes: [], account: identity };
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const tokens = (asked: Asked, accessToken: string) => ({
  access_token: accessToken,
  token_type: "Bearer",
  expires_in: 3600,
  id_token: idToken(asked, identity.value),
});

export const sample: Sample = {
  settings: {
    clientIds: "com.example.app,com.example.web",
    clientId: "com.example.web",
    teamId: "DEF123GHIJ",
    keyId: "ABC123DEFG",
    privateKey: await exportPKCS8(privateKey),
  },
  hooks: {
    notifications: {
      "consent-revoked": told("deauthorized"),
      "account-deleted": told("account_deleted"),
      "account-delete": told("account_deleted"),
      "email-disabled": told("consent_withdrawn"),
      "email-enabled": () => [],
    },
  },
  ways: [
    way({ name: "the refresh token", steps: [on(200)({ status: 200 })], outcome: revoked }),
    way({
      name: "a grant without a refresh token",
      grant: { ...grant, refreshToken: "" },
      steps: [on(200)({ status: 200 })],
      outcome: revoked,
    }),
    way({
      name: "it is dead",
      part: "look",
      steps: [on(200, 400)({ status: 400, body: { error: "invalid_grant" } })],
      outcome: "absent",
    }),
    way({
      name: "it lives",
      part: "look",
      steps: [on(200)({ status: 200, body: { access_token: "a2.0.access", token_type: "Bearer", expires_in: 3600 } })],
      outcome: "present",
    }),
    way({
      name: "there is nothing that could be shown again",
      part: "look",
      grant: { ...grant, refreshToken: "" },
      steps: [],
      outcome: "no_view",
    }),
  ],
  oauth: {
    token: (asked) => ({
      status: 200,
      body: { ...tokens(asked, grant.accessToken), refresh_token: grant.refreshToken },
    }),
    asks: [],
    grant,
    lastsSeconds: 3600,
    renewed: {
      reply: (asked) => ({ status: 200, body: tokens(asked, "a2.0.access") }),
      grant: { ...grant, accessToken: "a2.0.access" },
    },
    invalidGrant: { status: 400, body: { error: "invalid_grant" } },
  },
};
