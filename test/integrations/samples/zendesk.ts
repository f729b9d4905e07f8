import { accepted, erased, notFound, retained, revoked } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { connection, on, person, type Sample, signal, type Way } from "./kit.ts";

const user = { type: "zendesk.user", value: "6596848315901" };
const tickets = { type: "zendesk.tickets", value: "35436" };
const way = (given: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: user,
  ...given,
});
const shown = { id: 6596848315901, name: "Ada", email: "ada@example.com", external_id: "u-1", active: false };
const users = (...hits: readonly object[]): Played => ({ status: 200, body: { users: hits, next_page: null } });
const exported = (...ids: readonly number[]): Played => ({
  status: 200,
  body: {
    results: ids.map((id) => ({ id, requester_id: 6596848315901, result_type: "ticket" })),
    meta: { has_more: false, after_cursor: null },
  },
});
const missing: Played = { status: 404, body: { error: "RecordNotFound", description: "Not found" } };
const job = (status: string, results: unknown = null): Played => ({
  status: 200,
  body: { job_status: { id: "job-1", status, results } },
});
const statuses = (...actions: readonly [string, string][]): Played => ({
  status: 200,
  body: { compliance_deletion_statuses: actions.map(([action, application]) => ({ action, application })) },
});
const hidden: Played = { status: 200, body: { user: shown } };
const gone: Played = { status: 200, body: { deleted_user: { ...shown, email: null } } };
const only = on(200);
const byId = on(200, 404);
const refusable = on(200, 404, 422);
const left = (...ids: readonly number[]): Played => ({ status: 200, body: { tickets: ids.map((id) => ({ id })) } });

const grant = {
  accessToken: "gErypPlm4dOVgGRvA1ZzMH5MQ3nLo8bo",
  refreshToken: "31048ba4d7c601302f3173f243da835f",
  scopes: ["read", "write"],
  account: { type: "zendesk.agent", value: "customer/35436" },
  site: "customer",
};
const tokens = (access: string, refresh: string) => ({
  status: 200,
  body: {
    access_token: access,
    refresh_token: refresh,
    token_type: "bearer",
    scope: "read write",
    expires_in: 172_799,
    refresh_token_expires_in: 2_592_000,
  },
});
const me: Played = { status: 200, body: { user: { id: 35436, name: "Ada", role: "admin" } } };
const nobody: Played = { status: 200, body: { user: { id: null, name: "Anonymous user", role: "end-user" } } };
const refused: Played = {
  status: 401,
  body: {
    error: "invalid_token",
    error_description: "The access token provided is expired, revoked, malformed or invalid.",
  },
};
const asked = on(200, 401);
const ofConnection = { action: "revoke", identity: connection, grant } as const;

export const sample: Sample = {
  settings: {
    subdomain: "acme",
    agentEmail: "agent@acme.example",
    apiToken: "0123456789abcdef",
    webhookSecret: "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3RpbmdfMDEyMzQ1Ng==",
    clientId: "quittance_test",
    clientSecret: "nobodys-client-secret",
  },
  hooks: {
    events: {
      "zen:event-type:user.deleted": (at) => [signal("account_deleted", user, at)],
      "zen:event-type:user.active_changed": (at) => [signal("account_disabled", user, at)],
      "zen:event-type:user.merged": () => [],
      "zen:event-type:ticket.soft_deleted": (at) => [signal("content_deleted", tickets, at)],
      "zen:event-type:ticket.permanently_deleted": (at) => [signal("content_deleted", tickets, at)],
    },
  },
  ways: [
    way({
      name: "e-mail found",
      identity: person,
      steps: [only(users(shown))],
      outcome: { outcome: "found", identities: [user] },
    }),
    way({ name: "e-mail not found", identity: person, steps: [only(users())], outcome: notFound }),
    way({
      name: "external id found",
      identity: { type: "user_id", value: "u-1" },
      steps: [only(users(shown))],
      outcome: { outcome: "found", identities: [user] },
    }),
    way({
      name: "user without tickets",
      steps: [only(exported()), refusable(hidden), byId(gone)],
      outcome: accepted("user:", 60),
    }),
    way({
      name: "user with tickets",
      steps: [only(exported(35436)), only(left(35436)), only(job("queued"))],
      outcome: accepted("hide:job-1:35436", 15),
    }),
    way({
      name: "user whose tickets are kept",
      keeps: ["support_tickets"],
      steps: [only(exported(35436)), refusable(hidden), byId(gone)],
      outcome: accepted("user:35436", 60),
    }),
    way({
      name: "user who is not there",
      steps: [only(exported()), refusable(missing), byId(missing), byId(missing)],
      outcome: notFound,
    }),
    way({
      name: "every product is done",
      part: { check: "user:" },
      steps: [byId(statuses(["request_deletion", "all"], ["started", "support"], ["complete", "support"]))],
      outcome: erased,
    }),
    way({
      name: "a product is not done",
      part: { check: "user:" },
      steps: [byId(statuses(["started", "support"], ["complete", "support"], ["started", "chat"]))],
      outcome: accepted("user:", 3600),
    }),
    way({
      name: "erased but for the tickets",
      part: { check: "user:35436" },
      steps: [byId(statuses(["started", "support"], ["complete", "support"]))],
      outcome: retained("support_tickets", [tickets]),
    }),
    way({
      name: "tickets on their day",
      identity: tickets,
      steps: [only(job("queued"))],
      outcome: accepted("hide:job-1:35436", 15),
    }),
    way({
      name: "tickets hidden",
      identity: tickets,
      part: { check: "hide:job-1:35436" },
      steps: [only(job("completed", [{ id: 35436, success: true }])), only(job("queued"))],
      outcome: accepted("job:job-1", 15),
    }),
    way({
      name: "tickets erased",
      identity: tickets,
      part: { check: "job:job-1" },
      steps: [only(job("completed", [{ id: 35436, action: "delete", status: "Deleted", success: true }]))],
      outcome: erased,
    }),
    way({
      name: "a user's tickets erased",
      part: { check: "job:job-1" },
      steps: [only(job("completed", { success: true }))],
      outcome: { outcome: "more" },
    }),
    way({ name: "look at a user who is gone", part: "look", steps: [byId(missing), byId(missing)], outcome: "absent" }),
    way({
      name: "look at a user who is there",
      part: "look",
      steps: [byId({ status: 200, body: { user: { ...shown, active: true } } })],
      outcome: "present",
    }),
    way({
      name: "look at tickets",
      part: "look",
      identity: tickets,
      steps: [only({ status: 200, body: { tickets: [] } })],
      outcome: "absent",
    }),
    way({
      name: "connection",
      ...ofConnection,
      steps: [asked(me), on(204)({ status: 204 })],
      outcome: revoked,
    }),
    way({ name: "connection that is no more", ...ofConnection, steps: [asked(refused)], outcome: notFound }),
    way({ name: "its token is dead", part: "look", ...ofConnection, steps: [asked(refused)], outcome: "absent" }),
    way({ name: "its token is nobody's", part: "look", ...ofConnection, steps: [asked(nobody)], outcome: "absent" }),
    way({ name: "its token lives", part: "look", ...ofConnection, steps: [asked(me)], outcome: "present" }),
  ],
  oauth: {
    token: () => tokens(grant.accessToken, grant.refreshToken),
    asks: [on(200)(me)],
    grant,
    lastsSeconds: 172_799,
    renewed: {
      reply: () => tokens("access-2", "refresh-2"),
      grant: { ...grant, accessToken: "access-2", refreshToken: "refresh-2" },
    },
    invalidGrant: {
      status: 400,
      body: {
        error: "invalid_grant",
        error_description: "The provided authorization grant is invalid, expired or revoked.",
      },
    },
    alive: [
      { name: "alive", steps: [asked(me)], outcome: "alive" },
      { name: "over", steps: [asked(refused)], outcome: "ended" },
    ],
  },
};
