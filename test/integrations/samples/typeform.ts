import { accepted, erased, notFound, stoppedBecause } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { connection, on, person, type Sample, type Way } from "./kit.ts";

const response = { type: "typeform.response", value: "u6nXL7/r1" };
const TEN_MINUTES = 600;
const known = on(200, 403);
const forms: Played = { status: 200, body: { total_items: 1, page_count: 1, items: [{ id: "u6nXL7", title: "Ask" }] } };
const responses = (...items: readonly object[]): Played => ({
  status: 200,
  body: { total_items: items.length, page_count: 1, items },
});
const ada = { response_id: "r1", token: "r1", answers: [{ type: "email", email: "Ada@Example.com" }], hidden: {} };
const way = (name: string, more: Pick<Way, "steps" | "outcome"> & Partial<Way>): Way => ({
  name,
  action: "erase",
  part: "run",
  identity: response,
  ...more,
});

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
  settings: {
    token: "tfp_0123456789abcdef",
    clientId: "nobodys-client-id",
    clientSecret: "nobodys-client-secret",
    webhookUrl: "https://app.example.com/hooks/",
  },
  hooks: {},
  ways: [
    way("found", {
      identity: person,
      steps: [known(forms), known(responses(ada))],
      outcome: { outcome: "found", identities: [response] },
    }),
    way("not found", { identity: person, steps: [known(forms), known(responses())], outcome: notFound }),
    way("taken", { steps: [known({ status: 200 })], outcome: accepted("response", TEN_MINUTES) }),
    way("still there", {
      part: { check: "response" },
      steps: [known(responses(ada))],
      outcome: accepted("response", TEN_MINUTES),
    }),
    way("gone", { part: { check: "response" }, steps: [known(responses())], outcome: erased }),
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
    {
      name: "a grant that no call takes back, and a webhook of the product's",
      action: "revoke",
      part: "run",
      identity: connection,
      grant: { ...grant, scopes: [...grant.scopes, "forms:read", "webhooks:read", "webhooks:write"] },
      steps: [
        on(200, 401)(forms),
        on(200)({
          status: 200,
          body: {
            items: [
              { id: "w1", tag: "ours", url: "https://app.example.com/hooks/typeform", enabled: true },
              { id: "w2", tag: "others", url: "https://another.example.com/hooks/", enabled: true },
            ],
          },
        }),
        on(200, 204)({ status: 204 }),
      ],
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
