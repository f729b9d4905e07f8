import { accepted, erased, notFound } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import { on, person, type Sample, type Way } from "./kit.ts";

const withdrawn = (at: number): Signal[] => [
  { type: "consent_withdrawn", identity: { type: "klaviyo.profile", value: "01KP4EGHH8QJ3N3AY2Z6V7RMDK" }, at },
];

const profile = { type: "klaviyo.profile", value: "P1" };
const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: profile,
  ...one,
});
const byId = on(200, 404);
const list = on(200);
const there = { status: 200, body: { data: { type: "profile", id: "P1" } } };
const gone = { status: 404, body: { errors: [{ status: 404, code: "not_found" }] } };
const listed = (...ids: readonly string[]) => ({
  status: 200,
  body: { data: ids.map((id) => ({ type: "profile", id })), links: { next: null } },
});

export const sample: Sample = {
  settings: { apiKey: "pk_0123456789abcdef", secretKey: "0123456789abcdef" },
  hooks: {
    events: {
      "event:klaviyo.unsubscribed_from_email_marketing": withdrawn,
      "event:klaviyo.unsubscribed_from_sms_marketing": withdrawn,
    },
  },
  ways: [
    way({ name: "deletion accepted", steps: [byId(there), on(202)({ status: 202 })], outcome: accepted("P1", 900) }),
    way({ name: "no such profile", steps: [byId(gone)], outcome: notFound }),
    way({
      name: "profile by e-mail",
      identity: person,
      steps: [list(listed("P1"))],
      outcome: { outcome: "found", identities: [profile] },
    }),
    way({ name: "nobody by e-mail", identity: person, steps: [list(listed())], outcome: notFound }),
    way({
      name: "nobody by telephone",
      identity: { type: "phone", value: "+15550100" },
      steps: [list(listed())],
      outcome: notFound,
    }),
    way({ name: "look at a profile that is gone", part: "look", steps: [byId(gone)], outcome: "absent" }),
    way({ name: "look at a profile that is there", part: "look", steps: [byId(there)], outcome: "present" }),
    way({ name: "deletion done", part: { check: "P1" }, steps: [byId(gone)], outcome: erased }),
    way({ name: "deletion not done yet", part: { check: "P1" }, steps: [byId(there)], outcome: accepted("P1", 900) }),
  ],
};
