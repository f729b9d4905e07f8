import { erased, notFound } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import { on, person, type Sample, type Way } from "./kit.ts";

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

export const sample: Sample = {
  settings: {
    accessToken: "pat-na1-0123456789abcdef",
    portalId: "62515",
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
  ],
};
