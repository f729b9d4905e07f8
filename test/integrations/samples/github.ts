import { notFound, revoked } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import { connection, on, type Sample, type Way } from "./kit.ts";

/** GitHub signs no time: it happened when it arrived. */
const arrived =
  (type: Signal["type"], kind: string, value: string) =>
  (at: number): Signal[] => [{ type, identity: { type: `github.${kind}`, value }, at }];

const account = { type: "github.user", value: "1001" };
const grant = { accessToken: "ghu_1", refreshToken: "ghr_1", scopes: [], account };
const check = on(200, 404);
const live = check({ status: 200, body: { id: 1 } });
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const tokens = (nth: number) => ({
  status: 200,
  body: {
    access_token: `ghu_${nth}`,
    expires_in: 28_800,
    refresh_token: `ghr_${nth}`,
    refresh_token_expires_in: 15_897_600,
    scope: "",
    token_type: "bearer",
  },
});

export const sample: Sample = {
  settings: {
    webhookSecret: "nobodys-secret-0123456789",
    clientId: "Iv1.0123456789abcdef",
    clientSecret: "nobodys-client-secret",
  },
  hooks: {
    events: {
      "github_app_authorization.revoked": arrived("deauthorized", "user", "1001"),
      "installation.deleted": arrived("deauthorized", "installation", "4711"),
      "installation.suspend": arrived("account_disabled", "installation", "4711"),
      "installation.unsuspend": arrived("account_restored", "installation", "4711"),
      "installation_repositories.removed": arrived("content_deleted", "repository", "9001"),
      "marketplace_purchase.cancelled": arrived("deauthorized", "account", "1001"),
      ping: () => [],
    },
  },
  ways: [
    way({ name: "the grant", steps: [live, on(204)({ status: 204 })], outcome: revoked }),
    way({
      name: "a grant that ended in between",
      steps: [live, on(204, 404)({ status: 404 }), check({ status: 404 })],
      outcome: notFound,
    }),
    way({ name: "a token that is dead", steps: [check({ status: 404 })], outcome: notFound }),
    way({ name: "it is dead", part: "look", steps: [check({ status: 404 })], outcome: "absent" }),
    way({ name: "it lives", part: "look", steps: [live], outcome: "present" }),
  ],
  oauth: {
    token: () => tokens(1),
    asks: [on(200)({ status: 200, body: { id: 1001, login: "ada" } })],
    grant,
    lastsSeconds: 28_800,
    renewed: { reply: () => tokens(2), grant: { ...grant, accessToken: "ghu_2", refreshToken: "ghr_2" } },
    invalidGrant: { status: 200, body: { error: "bad_refresh_token", error_description: "It is expired." } },
  },
};
