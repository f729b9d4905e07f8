import { erased, notFound, revoked } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { connection, on, person, type Sample, type Step, signal, type Way } from "./kit.ts";

const contact = { type: "intercom.contact", value: "65f642bf674b9af4e9e46dd1" };
const way = (given: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: contact,
  ...given,
});
const list = (...data: readonly object[]): Played => ({
  status: 200,
  body: { type: "list", data, total_count: data.length, pages: { type: "pages", page: 1, total_pages: 1 } },
});
const shown = { type: "contact", id: contact.value, email: "ada@example.com", external_id: "u-1" };
const missing = {
  status: 404,
  body: { type: "error.list", errors: [{ code: "not_found", message: "User Not Found" }] },
};
const deleted = { status: 200, body: { type: "contact", id: contact.value, external_id: "u-1", deleted: true } };
const search = on(200);
/** Where permanent deletion is not to be had, the deletion that follows says what became of the contact. */
const request = (reply: Played): Step => ({
  reply,
  documented: (status) => status === 200 || Math.trunc(status / 100) === 4,
});
const removal = on(200, 404, 410);
const byId = on(200, 404);

const grant = {
  accessToken: "dG9rOjExMTExMTEx",
  refreshToken: "",
  scopes: [],
  account: { type: "intercom.workspace", value: "abc12345" },
};
const me: Played = {
  status: 200,
  body: { type: "admin", id: "1", email: "ada@example.com", app: { type: "app", id_code: "abc12345", region: "EU" } },
};
const refusal: Played = {
  status: 401,
  body: { type: "error.list", errors: [{ code: "unauthorized", message: "Access Token Invalid" }] },
};
const answered = on(200, 401);
const ofConnection = { action: "revoke", identity: connection, grant } as const;

export const sample: Sample = {
  settings: {
    workspaceId: "abc12345",
    region: "eu",
    accessToken: "dG9rOmFiY2RlZg==",
    clientId: "c0a1b2c3-0000-4000-8000-000000000001",
    clientSecret: "d1a2c3b4-0000-4000-8000-000000000001",
    uninstallSecret: "zLr0Yt5kQ8mW2xVb7nC4jH9sD1fG6aPe",
  },
  hooks: {
    topics: {
      "contact.deleted": (at) => [signal("account_deleted", contact, at)],
      "contact.archived": (at) => [signal("account_disabled", contact, at)],
      "contact.unsubscribed": (at) => [signal("consent_withdrawn", contact, at)],
      "contact.merged": () => [],
      "conversation.deleted": (at) => [signal("content_deleted", { type: "intercom.conversation", value: "147" }, at)],
      "user.deleted": (at) => [signal("account_deleted", contact, at)],
      ping: () => [],
    },
    uninstall: {
      uninstall: (at) => [{ type: "deauthorized", identity: { type: "intercom.workspace", value: "abc12345" }, at }],
    },
  },
  ways: [
    way({
      name: "e-mail found",
      identity: person,
      steps: [search(list(shown))],
      outcome: { outcome: "found", identities: [contact] },
    }),
    way({ name: "e-mail not found", identity: person, steps: [search(list())], outcome: notFound }),
    way({
      name: "external id found",
      identity: { type: "user_id", value: "u-1" },
      steps: [search(list(shown))],
      outcome: { outcome: "found", identities: [contact] },
    }),
    way({
      name: "contact erased for good",
      steps: [request({ status: 200, body: { id: 10 } }), removal(deleted)],
      outcome: erased,
    }),
    way({ name: "lead deleted", steps: [request(missing), removal(deleted)], outcome: erased }),
    way({ name: "contact that is gone", steps: [request(missing), removal(missing)], outcome: notFound }),
    way({ name: "look at a contact that is gone", part: "look", steps: [byId(missing)], outcome: "absent" }),
    way({
      name: "look at a contact that is there",
      part: "look",
      steps: [byId({ status: 200, body: shown })],
      outcome: "present",
    }),
    way({ name: "connection", ...ofConnection, steps: [answered({ status: 200 })], outcome: revoked }),
    way({ name: "connection that is no more", ...ofConnection, steps: [answered(refusal)], outcome: notFound }),
    way({ name: "its token is dead", part: "look", ...ofConnection, steps: [answered(refusal)], outcome: "absent" }),
    way({ name: "its token lives", part: "look", ...ofConnection, steps: [answered(me)], outcome: "present" }),
  ],
  oauth: {
    token: () => ({
      status: 200,
      body: { token_type: "Bearer", token: grant.accessToken, access_token: grant.accessToken },
    }),
    asks: [on(200)(me)],
    grant,
    invalidGrant: {
      status: 401,
      body: { type: "error.list", errors: [{ code: "unauthorized_code", message: "Unauthorized Code" }] },
    },
    alive: [
      { name: "alive", steps: [answered(me)], outcome: "alive" },
      { name: "over", steps: [answered(refusal)], outcome: "ended" },
    ],
  },
};
