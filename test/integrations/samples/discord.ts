import { revoked } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import { connection, on, type Sample, type Way } from "./kit.ts";

/** Discord gives microseconds. */
const about =
  (type: Signal["type"], kind: string, value: string) =>
  (at: number): Signal[] => [{ type, identity: { type: `discord.${kind}`, value }, at }];

const account = { type: "discord.user", value: "936929561302675456" };
const grant = { accessToken: "access-1", refreshToken: "refresh-1", scopes: ["identify"], account };
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const me = on(200, 401);
const live = me({ status: 200, body: { id: account.value, username: "ada" } });
const dead = me({ status: 401, body: { message: "401: Unauthorized", code: 0 } });
const tokens = (nth: number) => ({
  status: 200,
  body: {
    access_token: `access-${nth}`,
    token_type: "Bearer",
    expires_in: 604_800,
    refresh_token: `refresh-${nth}`,
    scope: "identify",
  },
});

export const sample: Sample = {
  // The public key of RFC 8032 section 7.1, test 1, with which the sender signs.
  settings: {
    publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    applicationId: "1234560123453231555",
    clientSecret: "nobodys-client-secret",
  },
  hooks: {
    events: {
      APPLICATION_DEAUTHORIZED: about("deauthorized", "user", "936929561302675456"),
      APPLICATION_AUTHORIZED: () => [],
      LOBBY_MESSAGE_DELETE: about("content_deleted", "message", "1402406637632884857"),
      GAME_DIRECT_MESSAGE_DELETE: about("content_deleted", "message", "1407771600643686503"),
    },
  },
  ways: [
    way({ name: "the authorization", steps: [on(200)({ status: 200, body: {} })], outcome: revoked }),
    way({
      name: "an authorization without a refresh token",
      grant: { ...grant, refreshToken: "" },
      steps: [on(200)({ status: 200, body: {} })],
      outcome: revoked,
    }),
    way({ name: "it is dead", part: "look", steps: [dead], outcome: "absent" }),
    way({ name: "it lives", part: "look", steps: [live], outcome: "present" }),
  ],
  oauth: {
    token: () => tokens(1),
    asks: [on(200)({ status: 200, body: { id: account.value, username: "ada" } })],
    grant,
    lastsSeconds: 604_800,
    renewed: {
      reply: () => tokens(2),
      grant: { ...grant, accessToken: "access-2", refreshToken: "refresh-2" },
    },
    invalidGrant: { status: 400, body: { error: "invalid_grant" } },
    alive: [
      { name: "alive", steps: [live], outcome: "alive" },
      { name: "over", steps: [dead], outcome: "ended" },
    ],
  },
};
