import { revoked } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import { connection, on, type Sample, type Way } from "./kit.ts";

/** Notion gives milliseconds. */
const deleted = (at: number): Signal[] => [
  { type: "content_deleted", identity: { type: "notion.entity", value: "153104cd-477e-809d-8dc4-ff2d96ae3090" }, at },
];

const WORKSPACE = "3c90c3cc-0d44-4b50-8888-8dd25736052a";
const USER = "5389a034-eb5c-47b5-8a9e-f79c99ef166c";
const account = { type: "notion.user", value: `${WORKSPACE}/${USER}` };
const grant = { accessToken: "ntn_1", refreshToken: "nrt_1", scopes: [], account };
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "revoke",
  part: "run",
  identity: connection,
  grant,
  ...one,
});
const live = on(200)({ status: 200, body: { active: true, scope: "", iat: 1_763_715_600 } });
const dead = on(200)({ status: 200, body: { active: false } });
const tokens = (nth: number, refreshToken: string | null = `nrt_${nth}`) => ({
  status: 200,
  body: {
    access_token: `ntn_${nth}`,
    token_type: "bearer",
    refresh_token: refreshToken,
    bot_id: "16d84278-ab0e-484c-9bdd-b35da3bd8905",
    workspace_id: WORKSPACE,
    workspace_name: "Lab",
    owner: { type: "user", user: { object: "user", id: USER } },
    request_id: "r",
  },
});

export const sample: Sample = {
  settings: {
    verificationToken: "secret_0123456789abcdef",
    setupSecret: "q7Vn2Lx9Rk4Tz8Wb3Yc6Hd1Jf5Mg0PsA",
    clientId: "463558a3-725e-4f37-b6d3-0889894f68de",
    clientSecret: "nobodys-client-secret",
  },
  hooks: {
    events: {
      "page.deleted": deleted,
      "database.deleted": deleted,
      "data_source.deleted": deleted,
      "comment.deleted": deleted,
    },
  },
  ways: [
    way({ name: "the token", steps: [on(200)({ status: 200, body: { request_id: "r" } })], outcome: revoked }),
    way({ name: "it is dead", part: "look", steps: [dead], outcome: "absent" }),
    way({ name: "it lives", part: "look", steps: [live], outcome: "present" }),
  ],
  oauth: {
    token: () => tokens(1),
    asks: [],
    grant,
    // A renewal that brings no refresh token leaves the one that there was.
    renewed: { reply: () => tokens(2, null), grant: { ...grant, accessToken: "ntn_2" } },
    invalidGrant: { status: 400, body: { error: "invalid_grant", request_id: "r" } },
    alive: [
      { name: "alive", steps: [live], outcome: "alive" },
      { name: "over", steps: [dead], outcome: "ended" },
    ],
  },
};
