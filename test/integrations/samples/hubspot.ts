import { erased, notFound, revoked } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import { connection, on, person, type Sample, type Way } from "./kit.ts";

/** HubSpot gives milliseconds. */
const about =
  (type: Signal["type"], kind = "contact", value = "62515/33") =>
  (at: number): Signal[] => [{ type, identity: { type: `hubspot.${kind}`, value }, at }];

const known = { type: "hubspot.contact", value: "62515/33" };
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: known,
  ...one,
});
const byId = on(200, 404);
const search = on(200);
const purge = on(204, 404);
const contact = { status: 200, body: { id: "33", properties: {}, archived: false } };
const gone = { status: 404, body: { status: "error", category: "OBJECT_NOT_FOUND" } };
const results = (id: string, email: string) => ({
  status: 200,
  body: { total: 1, results: [{ id, properties: { email, hs_additional_emails: null } }] },
});

const grant = {
  accessToken: "CJSP5qf1KhICAQEYs-gDIIGOBii1hQIyGQAf3xBK",
  refreshToken: "6f18f21e-a743-4509-b7fd-1a5e632fffa1",
  scopes: ["oauth", "crm.objects.contacts.read"],
  account: { type: "hubspot.account", value: "62515" },
};
const tokens = (access: string) => ({
  token_type: "bearer",
  token_use: "access_token",
  access_token: access,
  refresh_token: grant.refreshToken,
  expires_in: 1800,
  scopes: grant.scopes,
});
const details = { status: 200, body: { portalId: 62515, accountType: "STANDARD", timeZone: "Europe/Dublin" } };
const refused = { status: 401, body: { status: "error", category: "INVALID_AUTHENTICATION" } };
const asked = on(200, 401);
const ofConnection = { action: "revoke", identity: connection, grant } as const;

export const sample: Sample = {
  settings: {
    accessToken: "pat-na1-0123456789abcdef",
    portalId: "62515",
    clientId: "7fff1e36-2d40-4ae1-bbb1-5266d59564fb",
    clientSecret: "01234567-89ab-cdef-0123-456789abcdef",
  },
  hooks: {
    events: {
      "contact.privacyDeletion": about("account_deleted"),
      "contact.deletion": about("account_disabled"),
      "contact.restore": about("account_restored"),
      "conversation.privacyDeletion": about("content_deleted", "conversation", "62515/44"),
      "conversation.deletion": about("content_deleted", "conversation", "62515/44"),
    },
  },
  ways: [
    way({ name: "contact deleted for good", steps: [byId(contact), purge({ status: 204 })], outcome: erased }),
    way({
      name: "contact that could be restored",
      steps: [byId(gone), byId(contact), purge({ status: 204 })],
      outcome: erased,
    }),
    way({ name: "no such contact", steps: [byId(gone), byId(gone)], outcome: notFound }),
    way({ name: "contact gone meanwhile", steps: [byId(contact), purge(gone)], outcome: notFound }),
    way({
      name: "contact by e-mail",
      identity: person,
      steps: [search(results("33", "Ada@example.com"))],
      outcome: { outcome: "found", identities: [known] },
    }),
    way({
      name: "nobody by e-mail",
      identity: person,
      steps: [search(results("34", "other@example.com"))],
      outcome: notFound,
    }),
    way({ name: "look at a contact that is gone", part: "look", steps: [byId(gone)], outcome: "absent" }),
    way({ name: "look at a contact that is there", part: "look", steps: [byId(contact)], outcome: "present" }),
    way({
      name: "look for nobody by e-mail",
      part: "look",
      identity: person,
      steps: [search({ status: 200, body: { total: 0, results: [] } })],
      outcome: "absent",
    }),
    way({ name: "connection", ...ofConnection, steps: [on(204, 401)({ status: 204 })], outcome: revoked }),
    way({ name: "connection that is no more", ...ofConnection, steps: [on(204, 401)(refused)], outcome: notFound }),
    way({ name: "its token is dead", part: "look", ...ofConnection, steps: [asked(refused)], outcome: "absent" }),
    way({ name: "its token lives", part: "look", ...ofConnection, steps: [asked(details)], outcome: "present" }),
  ],
  oauth: {
    token: () => ({ status: 200, body: tokens(grant.accessToken) }),
    asks: [on(200)(details)],
    grant,
    lastsSeconds: 1800,
    renewed: {
      reply: () => ({ status: 200, body: { ...tokens("access-2"), hub_id: 62515, user_id: 293199 } }),
      grant: { ...grant, accessToken: "access-2" },
    },
    invalidGrant: {
      status: 400,
      body: { status: "BAD_REFRESH_TOKEN", message: "missing or invalid refresh token", correlationId: "c0ffee" },
    },
    alive: [
      { name: "alive", steps: [asked(details)], outcome: "alive" },
      { name: "over", steps: [asked(refused)], outcome: "ended" },
    ],
  },
};
