import { notFound, revoked } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import { connection, on, type Sample, type Way } from "./kit.ts";

/** Zoom gives milliseconds. */
const about =
  (type: Signal["type"]) =>
  (at: number): Signal[] => [{ type, identity: { type: "zoom.user", value: "uLoRgfbbTayCX6r2Q_qQsQ" }, at }];

const grant = {
  accessToken: "access-1",
  refreshToken: "refresh-1",
  scopes: ["user:read:user"],
  account: { type: "zoom.user", value: "uLoRgfbbTayCX6r2Q_qQsQ" },
};
const tokens = (nth: number) => ({
  status: 200,
  body: {
    access_token: `access-${nth}`,
    token_type: "bearer",
    refresh_token: `refresh-${nth}`,
    expires_in: 3599,
    scope: "user:read:user",
    api_url: "https://api.zoom.us",
  },
});
const asked = on(200, 401);
const me = { status: 200, body: { id: "uLoRgfbbTayCX6r2Q_qQsQ", account_id: "EAAAAbbbbbCCCCHMA", type: 1 } };
const refused = { status: 401, body: { code: 124, message: "Invalid access token." } };
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});

export const sample: Sample = {
  settings: {
    secretToken: "vyDY1nu_QV-0123456789",
    clientId: "R3xH_8fsQ0ipUnFm9sSKAg",
    clientSecret: "nobodys-client-secret",
  },
  hooks: {
    deauthorization: { app_deauthorized: about("deauthorized") },
    events: {
      "user.deleted": about("account_deleted"),
      "user.disassociated": about("account_disabled"),
      "user.deactivated": about("account_disabled"),
      "user.activated": about("account_restored"),
    },
  },
  ways: [
    way({
      name: "the token",
      steps: [asked(me), on(200)({ status: 200, body: { status: "success" } })],
      outcome: revoked,
    }),
    way({ name: "a token that is dead", steps: [asked(refused)], outcome: notFound }),
    way({ name: "it is dead", part: "look", steps: [asked(refused)], outcome: "absent" }),
    way({ name: "it lives", part: "look", steps: [asked(me)], outcome: "present" }),
  ],
  oauth: {
    token: () => tokens(1),
    asks: [on(200)(me)],
    grant,
    lastsSeconds: 3599,
    renewed: { reply: () => tokens(2), grant: { ...grant, accessToken: "access-2", refreshToken: "refresh-2" } },
    invalidGrant: { status: 400, body: { reason: "Invalid Token!", error: "invalid_grant" } },
    alive: [
      { name: "alive", steps: [asked(me)], outcome: "alive" },
      { name: "over", steps: [asked(refused)], outcome: "ended" },
    ],
  },
};
