import { accepted, erased, revoked } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { connection, on, person, type Sample, type Way } from "./kit.ts";

const HALF_A_DAY = 12 * 3600;
const listing = on(200, 403);
const events = (...uris: readonly string[]): Played => ({
  status: 200,
  body: { collection: uris.map((uri) => ({ uri, name: "Call" })), pagination: { count: uris.length, next_page: null } },
});
const way = (name: string, part: Way["part"], steps: Way["steps"], outcome: Way["outcome"]): Way => ({
  name,
  action: "erase",
  part,
  identity: person,
  steps,
  outcome,
});

const account = { type: "calendly.user", value: "https://api.calendly.com/users/AAAAAAAAAAAAAAAA" };
const grant = { accessToken: "access-1", refreshToken: "refresh-1", scopes: ["users:read"], account };
const grantWay = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
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
  settings: {
    token: "eyJraWQiOiIxY2UxZTEzNjE3ZGNmNzY2YjNjZWJjY2Y4ZGM1YmFmYThh",
    organization: "https://api.calendly.com/organizations/AAAAAAAAAAAAAAAA",
    clientId: "nobodys-client-id-0123456789",
    clientSecret: "nobodys-client-secret",
    webhookUrl: "https://app.example.com/hooks/",
  },
  hooks: {},
  ways: [
    way("taken", "run", [on(202, 403)({ status: 202, body: {} })], accepted("invitee", HALF_A_DAY)),
    way("not yet", { check: "invitee" }, [listing(events("https://api.calendly.com/scheduled_events/E1"))], {
      ...accepted("invitee", HALF_A_DAY),
    }),
    way("no event is left", { check: "invitee" }, [listing(events())], erased),
    grantWay({ name: "both tokens", steps: [on(200)({ status: 200 }), on(200)({ status: 200 })], outcome: revoked }),
    grantWay({
      name: "both tokens and a webhook of the product's, none of another app's",
      grant: { ...grant, scopes: ["users:read", "webhooks:read", "webhooks:write"] },
      steps: [
        on(
          200,
          401,
        )({
          status: 200,
          body: {
            resource: {
              uri: account.value,
              current_organization: "https://api.calendly.com/organizations/BBBBBBBBBBBBBBBB",
            },
          },
        }),
        on(200)({
          status: 200,
          body: {
            collection: [
              {
                uri: "https://api.calendly.com/webhook_subscriptions/CCCCCCCCCCCCCCCC",
                callback_url: "https://app.example.com/hooks/calendly",
              },
              {
                uri: "https://api.calendly.com/webhook_subscriptions/DDDDDDDDDDDDDDDD",
                callback_url: "https://another.example.com/hooks/",
              },
            ],
            pagination: { count: 2, next_page: null, next_page_token: null },
          },
        }),
        on(204)({ status: 204 }),
        on(200)({ status: 200 }),
        on(200)({ status: 200 }),
      ],
      outcome: revoked,
    }),
    grantWay({ name: "it is dead", part: "look", steps: [dead], outcome: "absent" }),
    grantWay({ name: "it lives", part: "look", steps: [live], outcome: "present" }),
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
