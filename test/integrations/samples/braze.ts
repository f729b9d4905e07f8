import { accepted, erased, notFound } from "../../../src/contract/outcome.ts";
import { on, person, type Sample, type Way } from "./kit.ts";

const profile = { type: "braze.braze_id", value: "b-1" };
const brazeWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: profile,
  ...way,
});
const answered = on(200, 201, 401);
const exported = (...users: readonly object[]) =>
  answered({ status: 201, body: { message: "success", users, invalid_user_ids: [] } });
const there = { braze_id: "b-1", external_id: "u-1" };
const isFound = { outcome: "found", identities: [profile] } as const;

export const sample: Sample = {
  settings: { apiKey: "01234567-89ab-cdef-0123-456789abcdef", instance: "fra-02" },
  hooks: {},
  ways: [
    brazeWay({
      name: "profile by the tenant's id",
      identity: { type: "braze.external_id", value: "u-1" },
      steps: [exported(there)],
      outcome: isFound,
    }),
    brazeWay({ name: "profile by e-mail", identity: person, steps: [exported(there)], outcome: isFound }),
    brazeWay({
      name: "nobody by telephone",
      identity: { type: "phone", value: "+15550100" },
      steps: [exported()],
      outcome: notFound,
    }),
    brazeWay({
      name: "deletion queued",
      steps: [exported(there), answered({ status: 201, body: { deleted: 1, message: "success" } })],
      outcome: accepted("b-1", 900),
    }),
    brazeWay({ name: "no such profile", steps: [exported()], outcome: notFound }),
    brazeWay({ name: "deleted", part: { check: "b-1" }, steps: [exported()], outcome: erased }),
    brazeWay({
      name: "not deleted yet",
      part: { check: "b-1" },
      steps: [exported(there)],
      outcome: accepted("b-1", 900),
    }),
  ],
};
