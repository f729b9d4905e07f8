import { erased, notFound, stoppedBecause } from "../../../src/contract/outcome.ts";
import { byNoGrant, connection, on, type Sample, unpublishing, type Way } from "./kit.ts";

const account = { type: "pinterest.user_id", value: "549755885175" };
const grant = { accessToken: "pina_1", refreshToken: "pinr_1", scopes: ["user_accounts:read", "pins:read"], account };
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const published = unpublishing({ type: "pinterest.pin", value: "813744226420795884" }, grant);
const onPin = on(204, 401, 403, 404);
const me = on(200, 401);
const live = me({ status: 200, body: { id: account.value, username: "ada_example", account_type: "PINNER" } });
const dead = me({ status: 401, body: { code: 2, message: "Authentication failed." } });
const stopped = stoppedBecause(
  "Pinterest revokes tokens of system users only; the tokens held here are destroyed, and the person can remove the app in Pinterest",
);
const tokens = (nth: number, scope: string) => ({
  status: 200,
  body: {
    response_type: "authorization_code",
    access_token: `pina_${nth}`,
    token_type: "bearer",
    expires_in: 2_592_000,
    scope,
    refresh_token: `pinr_${nth}`,
    refresh_token_expires_in: 5_184_000,
    refresh_token_expires_at: 1_800_000_000,
  },
});

export const sample: Sample = {
  settings: { clientId: "1234567", clientSecret: "nobodys-app-secret" },
  hooks: {},
  ways: [
    published({ name: "a pin", steps: [onPin({ status: 204 })], outcome: erased }),
    published({
      name: "a pin that is gone",
      steps: [onPin({ status: 404, body: { code: 50, message: "Pin not found." } })],
      outcome: notFound,
    }),
    published({
      name: "another's pin",
      steps: [onPin({ status: 403, body: { code: 29, message: "Not authorized." } })],
      outcome: byNoGrant("Pinterest forbids it: another's pin, or a scope is missing"),
    }),
    published({ name: "it is gone", part: "look", steps: [on(200, 404)({ status: 404 })], outcome: "absent" }),
    published({
      name: "it is there",
      part: "look",
      steps: [on(200, 404)({ status: 200, body: { id: "813744226420795884" } })],
      outcome: "present",
    }),
    published({
      name: "its token is of no use any more",
      part: "look",
      steps: [on(200, 401, 404)({ status: 401 })],
      outcome: "no_view",
    }),
    way({ name: "no call for it", steps: [live], outcome: stopped }),
    way({ name: "a token that is refused before its time", steps: [dead], outcome: notFound }),
    way({ name: "a token that has expired", grant: { ...grant, expiresAt: 0 }, steps: [dead], outcome: stopped }),
  ],
  oauth: {
    token: () => tokens(1, "user_accounts:read pins:read"),
    asks: [on(200)(live.reply)],
    grant,
    lastsSeconds: 2_592_000,
    renewed: {
      reply: () => tokens(2, "user_accounts:read,pins:read"),
      grant: { ...grant, accessToken: "pina_2", refreshToken: "pinr_2" },
    },
    invalidGrant: { status: 400, body: { code: 283, message: "The authorization grant is invalid" } },
    alive: [
      { name: "alive", steps: [live], outcome: "alive" },
      { name: "over", steps: [dead], outcome: "ended" },
    ],
  },
};
