import { revoked } from "../../../src/contract/outcome.ts";
import { connection, on, type Sample, type Way } from "./kit.ts";

const account = { type: "snapchat.external_id", value: "CAESIPiRBp0e5gLDq7VVurQ3rVdmdbqxpOJWynjyBL" };
const scopes = ["https://auth.snapchat.com/oauth2/api/user.external_id"];
const grant = { accessToken: "access-1", refreshToken: "refresh-1", scopes, account };
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const done = on(200)({ status: 200 });
const me = on(200, 401);
const live = me({ status: 200, body: { data: { me: { externalId: account.value } }, errors: [] } });
const dead = me({ status: 401, body: { error: "invalid_token" } });
const tokens = (nth: number) => ({
  status: 200,
  body: {
    access_token: `access-${nth}`,
    token_type: "Bearer",
    expires_in: 3600,
    refresh_token: `refresh-${nth}`,
    scope: scopes.join(" "),
  },
});

export const sample: Sample = {
  settings: { clientId: "36b0b9f2-0000-4000-8000-000000000001", clientSecret: "nobodys-client-secret" },
  hooks: {},
  ways: [
    way({ name: "both tokens", steps: [done, done], outcome: revoked }),
    way({ name: "it is dead", part: "look", steps: [dead], outcome: "absent" }),
    way({ name: "it lives", part: "look", steps: [live], outcome: "present" }),
  ],
  oauth: {
    token: () => tokens(1),
    asks: [on(200)(live.reply)],
    grant,
    lastsSeconds: 3600,
    renewed: { reply: () => tokens(2), grant: { ...grant, accessToken: "access-2", refreshToken: "refresh-2" } },
    invalidGrant: { status: 400, body: { error: "invalid_grant", error_description: "The grant is invalid." } },
    alive: [
      { name: "alive", steps: [live], outcome: "alive" },
      { name: "over", steps: [dead], outcome: "ended" },
    ],
  },
};
