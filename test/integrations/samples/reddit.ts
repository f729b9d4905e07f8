import { revoked } from "../../../src/contract/outcome.ts";
import { connection, on, type Sample, type Way } from "./kit.ts";

const account = { type: "reddit.user_id", value: "t2_ada1" };
const grant = { accessToken: "access-1", refreshToken: "refresh-1", scopes: ["identity"], account };
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const done = on(200, 204)({ status: 204 });
const me = on(200, 401);
const live = me({ status: 200, body: { id: "ada1", name: "ada_example" } });
const dead = me({ status: 401, body: { message: "Unauthorized", error: 401 } });

export const sample: Sample = {
  settings: {
    clientId: "nobodys-app-id",
    clientSecret: "nobodys-client-secret",
    userAgent: "web:nobodys-app-id:1.0 (by /u/nobody)",
  },
  hooks: {},
  ways: [
    way({ name: "both tokens", steps: [done, done], outcome: revoked }),
    way({ name: "an access token alone", grant: { ...grant, refreshToken: "" }, steps: [done], outcome: revoked }),
    way({
      name: "a token of another app",
      steps: [on(200, 204, 400)({ status: 400, body: { error: "unauthorized_client" } })],
      outcome: { outcome: "unforeseen", status: 400, what: "the revocation was refused: unauthorized_client" },
    }),
    way({ name: "it is dead", part: "look", steps: [dead], outcome: "absent" }),
    way({ name: "it lives", part: "look", steps: [live], outcome: "present" }),
  ],
  oauth: {
    token: () => ({
      status: 200,
      body: {
        access_token: "access-1",
        token_type: "bearer",
        expires_in: 3600,
        scope: "identity",
        refresh_token: "refresh-1",
      },
    }),
    asks: [on(200)(live.reply)],
    grant,
    lastsSeconds: 3600,
    renewed: {
      reply: () => ({
        status: 200,
        body: { access_token: "access-2", token_type: "bearer", expires_in: 3600, scope: "identity" },
      }),
      grant: { ...grant, accessToken: "access-2" },
    },
    // As it is for a code; a refresh token's is in the test of its own.
    invalidGrant: { status: 200, body: { error: "invalid_grant" } },
    alive: [
      { name: "alive", steps: [live], outcome: "alive" },
      { name: "over", steps: [dead], outcome: "ended" },
    ],
  },
};
