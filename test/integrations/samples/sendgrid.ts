import { accepted, erased, informed, notFound, retained } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, person, type Sample, signal, type Way } from "./kit.ts";

const VERIFICATION_KEY =
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEvh2++qE9Po/Wy7gd95EUrjHXck02ztoRGsc3SKt1Rewf2+9E1OVU8PndpbEkTPv1jNZe9kfe3egZtBHH9ZqMlQ==";

const contact = { type: "sendgrid.contact", value: "d1b2c3" };
const recipient = { type: "sendgrid.recipient", value: person.value };
const suppressions = { type: "sendgrid.suppressions", value: person.value };
const way = (given: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: contact,
  ...given,
});
const missing: Played = { status: 404, body: { errors: [{ message: "not found", field: null }] } };
const job: Played = { status: 202, body: { job_id: "job-1" } };
const shown: Played = { status: 200, body: { id: contact.value, email: person.value } };
const match: Played = {
  status: 200,
  body: { result: { [person.value]: { contact: { id: contact.value, email: person.value } } } },
};
const groups = (...ids: readonly number[]): Played => ({
  status: 200,
  body: { suppressions: ids.map((id) => ({ id, name: "News", description: "", is_default: false, suppressed: true })) },
});
const byId = on(200, 404);
const taken = on(202);
const only = on(200);
const removal = on(204, 404);
const gone: Played = { status: 204 };
const imported = (status: string) => only({ status: 200, body: { id: "job-1", status, job_type: "delete" } });
const withdrawn = (at: number) => [signal("consent_withdrawn", person, at)];

export const sample: Sample = {
  settings: { region: "us", apiKey: "SG.0123456789.abcdef", verificationKey: VERIFICATION_KEY },
  hooks: {
    events: {
      unsubscribe: withdrawn,
      group_unsubscribe: withdrawn,
      group_resubscribe: () => [],
      spamreport: withdrawn,
    },
  },
  ways: [
    way({
      name: "address of a contact",
      identity: person,
      steps: [byId(match)],
      outcome: { outcome: "found", identities: [recipient, suppressions, contact] },
    }),
    way({
      name: "address of no contact",
      identity: person,
      steps: [byId(missing)],
      outcome: { outcome: "found", identities: [recipient, suppressions] },
    }),
    way({ name: "recipient", identity: recipient, steps: [taken(job)], outcome: informed }),
    way({ name: "contact", steps: [byId(shown), taken(job)], outcome: accepted("job-1", 60) }),
    way({ name: "contact that is gone", steps: [byId(missing)], outcome: notFound }),
    way({ name: "contact deleted", part: { check: "job-1" }, steps: [imported("completed")], outcome: erased }),
    way({
      name: "contact at work",
      part: { check: "job-1" },
      steps: [imported("pending")],
      outcome: accepted("job-1", 300),
    }),
    way({ name: "look at a contact that is gone", part: "look", steps: [byId(missing)], outcome: "absent" }),
    way({ name: "look at a contact that is there", part: "look", steps: [byId(shown)], outcome: "present" }),
    way({
      name: "suppressions",
      identity: suppressions,
      steps: [
        only({ status: 200, body: { recipient_email: person.value } }),
        only(groups(10)),
        removal(missing),
        removal(missing),
        removal(missing),
        removal(gone),
        removal(gone),
        removal(gone),
      ],
      outcome: erased,
    }),
    way({
      name: "no suppressions",
      identity: suppressions,
      steps: [
        only({ status: 200, body: {} }),
        only(groups()),
        removal(missing),
        removal(missing),
        removal(missing),
        removal(missing),
      ],
      outcome: notFound,
    }),
    way({
      name: "look at lists that are empty",
      part: "look",
      identity: suppressions,
      steps: [
        ...Array.from({ length: 4 }, () => only({ status: 200, body: [] })),
        only({ status: 200, body: {} }),
        only(groups()),
      ],
      outcome: "absent",
    }),
    way({
      name: "look at a list that has the address",
      part: "look",
      identity: suppressions,
      steps: [only({ status: 200, body: [] }), only({ status: 200, body: [{ email: person.value }] })],
      outcome: "present",
    }),
    way({
      name: "look at a group that has the address",
      part: "look",
      identity: suppressions,
      steps: [
        ...Array.from({ length: 4 }, () => only({ status: 200, body: [] })),
        only({ status: 200, body: {} }),
        only(groups(10)),
      ],
      outcome: "present",
    }),
    way({
      name: "suppressions that are kept",
      identity: suppressions,
      keeps: ["suppression_list"],
      steps: [],
      outcome: retained("suppression_list", [suppressions]),
    }),
  ],
};
