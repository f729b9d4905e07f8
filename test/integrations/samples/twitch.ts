import { notFound, revoked } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import { connection, idToken, on, type Sample, type Way } from "./kit.ts";

/** Twitch gives nanoseconds. */
const about =
  (type: Signal["type"]) =>
  (at: number): Signal[] => [{ type, identity: { type: "twitch.user", value: "1337" }, at }];

const account = { type: "twitch.user", value: "1337" };
const grant = { accessToken: "access-1", refreshToken: "refresh-1", scopes: ["openid"], account };
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const live = on(
  200,
  401,
)({ status: 200, body: { client_id: "c", login: "ada", user_id: "1337", scopes: [], expires_in: 14_000 } });
const dead = on(200, 401)({ status: 401, body: { status: 401, message: "invalid access token" } });
const tokens = (nth: number) => ({
  access_token: `access-${nth}`,
  expires_in: 14_124,
  refresh_token: `refresh-${nth}`,
  scope: ["openid"],
  token_type: "bearer",
});

export const sample: Sample = {
  settings: {
    subscriptionSecret: "s3cre77890ab",
    clientId: "hof5gwx0su6owfnys0nyan9c87zr6t",
    clientSecret: "nobodys-client-secret",
  },
  hooks: {
    eventsub: {
      "user.authorization.revoke": about("deauthorized"),
      "revocation.user_removed": about("account_deleted"),
      "revocation.authorization_revoked": about("deauthorized"),
    },
  },
  ways: [
    way({ name: "the token", steps: [on(200)({ status: 200 })], outcome: revoked }),
    way({
      name: "a token that is dead",
      steps: [on(200, 400)({ status: 400, body: { status: 400, message: "Invalid token" } })],
      outcome: notFound,
    }),
    way({ name: "it is dead", part: "look", steps: [dead], outcome: "absent" }),
    way({ name: "it lives", part: "look", steps: [live], outcome: "present" }),
  ],
  oauth: {
    token: (asked) => ({ status: 200, body: { ...tokens(1), id_token: idToken({ ...asked, nonce: "" }, "1337") } }),
    asks: [live],
    grant,
    lastsSeconds: 14_124,
    renewed: {
      reply: () => ({ status: 200, body: tokens(2) }),
      grant: { ...grant, accessToken: "access-2", refreshToken: "refresh-2" },
    },
    invalidGrant: { status: 400, body: { error: "Bad Request", status: 400, message: "Invalid refresh token" } },
    alive: [
      { name: "alive", steps: [live], outcome: "alive" },
      { name: "over", steps: [dead], outcome: "ended" },
    ],
  },
};
