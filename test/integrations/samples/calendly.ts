import { revoked } from "../../../src/contract/outcome.ts";
import { connection, on, type Sample, type Way } from "./kit.ts";

const account = { type: "calendly.user", value: "https://api.calendly.com/users/AAAAAAAAAAAAAAAA" };
const grant = { accessToken: "access-1", refreshToken: "refresh-1", scopes: ["users:read"], account };
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const live = on(200)({ status: 200, body: { active: true, token_type: "Bearer" } });
const dead = on(200)({ status: 200, body: { active: false } });
const tokens = (nth: number) => ({
  status: 200,
  body: {
    token_type: "Bearer",
    access_token: `access-${nth}`,
    refresh_token: `refresh-${nth}`,
    scope: "users:read",
    created_at: 1_763_715_600,
    expires_in: 7200,
    owner: account.value,
    organization: "https://api.calendly.com/organizations/BBBBBBBBBBBBBBBB",
  },
});

export const sample: Sample = {
  settings: { clientId: "nobodys-client-id-0123456789", clientSecret: "nobodys-client-secret" },
  hooks: {},
  ways: [
    way({ name: "both tokens", steps: [on(200)({ status: 200 }), on(200)({ status: 200 })], outcome: revoked }),
    way({ name: "it is dead", part: "look", steps: [dead], outcome: "absent" }),
    way({ name: "it lives", part: "look", steps: [live], outcome: "present" }),
  ],
  oauth: {
    token: () => tokens(1),
    asks: [],
    grant,
    lastsSeconds: 7200,
    renewed: { reply: () => tokens(2), grant: { ...grant, accessToken: "access-2", refreshToken: "refresh-2" } },
    invalidGrant: { status: 400, body: { error: "invalid_grant", error_description: "It was used." } },
    alive: [
      { name: "alive", steps: [live], outcome: "alive" },
      { name: "over", steps: [dead], outcome: "ended" },
    ],
  },
};
