import { stoppedBecause } from "../../../src/contract/outcome.ts";
import { connection, on, type Sample } from "./kit.ts";

const account = { type: "typeform.user", value: "01ARZ3NDEKTSV4RRFFQ69G5FAV" };
const grant = { accessToken: "access-1", refreshToken: "refresh-1", scopes: ["accounts:read", "offline"], account };
const live = { status: 200, body: { user_id: account.value, alias: "Ada", email: "ada@example.com", language: "en" } };
const tokens = (nth: number) => ({
  status: 200,
  body: {
    access_token: `access-${nth}`,
    expires_in: 604_800,
    refresh_token: `refresh-${nth}`,
    scope: "accounts:read offline",
    token_type: "bearer",
  },
});

export const sample: Sample = {
  settings: { clientId: "nobodys-client-id", clientSecret: "nobodys-client-secret" },
  hooks: {},
  ways: [
    {
      name: "a grant that no call takes back",
      action: "revoke",
      part: "run",
      identity: connection,
      grant,
      steps: [],
      outcome: stoppedBecause(
        "Typeform has no revocation endpoint; the tokens held here are destroyed, and the person can remove the app in their account",
      ),
    },
  ],
  oauth: {
    token: () => tokens(1),
    asks: [on(200)(live)],
    grant,
    lastsSeconds: 604_800,
    renewed: { reply: () => tokens(2), grant: { ...grant, accessToken: "access-2", refreshToken: "refresh-2" } },
    invalidGrant: { status: 400, body: { error: "invalid_grant" } },
    alive: [
      { name: "alive", steps: [on(200, 401)(live)], outcome: "alive" },
      { name: "over", steps: [on(200, 401)({ status: 401 })], outcome: "ended" },
    ],
  },
};
