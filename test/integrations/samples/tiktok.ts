import { notFound, revoked } from "../../../src/contract/outcome.ts";
import type { SignalType } from "../../../src/contract/signal.ts";
import { connection, on, type Sample, signal, type Way } from "./kit.ts";

const person = { type: "tiktok.open_id", value: "act.meadow12345Lantern" };
const says =
  (...types: readonly SignalType[]) =>
  (at: number) =>
    types.map((type) => signal(type, person, at));

const grant = { accessToken: "act.1", refreshToken: "rft.1", scopes: ["user.info.basic"], account: person };
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const me = on(200, 401);
const answered = (status: number, code: string) =>
  me({ status, body: { data: {}, error: { code, message: "", log_id: "20261121" } } });
const live = me({
  status: 200,
  body: { data: { user: { open_id: person.value } }, error: { code: "ok", message: "", log_id: "20261121" } },
});
const dead = answered(401, "access_token_invalid");
const tokens = (nth: number, scope: string) => ({
  status: 200,
  body: {
    access_token: `act.${nth}`,
    expires_in: 7200,
    open_id: person.value,
    refresh_expires_in: 15_552_000,
    refresh_token: `rft.${nth}`,
    scope,
    token_type: "Bearer",
  },
});
const invalid = { error: "invalid_grant", error_description: "Authorization code is expired.", log_id: "20261121" };

export const sample: Sample = {
  settings: { clientSecret: "0123456789abcdefghijklmnopqrstuv", clientKey: "meadow0lantern1cobalt" },
  hooks: {
    webhooks: {
      "authorization.removed (0)": says("deauthorized"),
      "authorization.removed (1)": says("deauthorized"),
      "authorization.removed (2)": says("account_deleted"),
      "authorization.removed (3)": says("deauthorized", "erasure_requested"),
      "authorization.removed (4)": says("deauthorized", "account_disabled"),
      "authorization.removed (5)": says("deauthorized"),
    },
  },
  ways: [
    way({ name: "the grant", steps: [live, on(200)({ status: 200, body: "" })], outcome: revoked }),
    way({
      name: "the grant, with an empty object",
      steps: [live, on(200)({ status: 200, body: {} })],
      outcome: revoked,
    }),
    way({
      name: "a grant whose scopes let nobody look",
      steps: [answered(401, "scope_not_authorized"), on(200)({ status: 200, body: {} })],
      outcome: revoked,
    }),
    way({
      name: "a refusal",
      steps: [live, on(200)({ status: 200, body: invalid })],
      outcome: { outcome: "unforeseen", status: 200, what: "the revocation was refused: invalid_grant" },
    }),
    way({ name: "a token that is dead", steps: [dead], outcome: notFound }),
    way({ name: "it is dead", part: "look", steps: [dead], outcome: "absent" }),
    way({ name: "it lives", part: "look", steps: [live], outcome: "present" }),
  ],
  oauth: {
    token: () => tokens(1, "user.info.basic"),
    asks: [],
    grant,
    lastsSeconds: 7200,
    renewed: {
      reply: () => tokens(2, "user.info.basic,video.list"),
      grant: { ...grant, accessToken: "act.2", refreshToken: "rft.2", scopes: ["user.info.basic", "video.list"] },
    },
    // Unconfirmed whether with 200: it is the harder case.
    invalidGrant: { status: 200, body: invalid },
  },
};
