import { type Answer, accepted, erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, type Way } from "./kit.ts";

const amplitudeWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: { type: "amplitude.user_id", value: "u-1" },
  ...way,
});
const jobs = (status: string, ...users: readonly string[]): Played => ({
  status: 200,
  body: [
    {
      day: "2026-12-02",
      status,
      amplitude_ids: users.map((user_id) => ({
        amplitude_id: 356_896_327_775,
        user_id,
        requester: "quittance",
        requested_on_day: "2026-11-21",
      })),
      app: "123456",
    },
  ],
});
const asked = on(200, 401, 403);
const jobCheck = (status: string, outcome: Answer): Way =>
  amplitudeWay({ name: `job ${status}`, part: { check: "2026-11-21" }, steps: [asked(jobs(status, "u-1"))], outcome });

export const sample: Sample = {
  settings: { apiKey: "0123456789abcdef0123456789abcdef", secretKey: "fedcba9876543210", residency: "EU" },
  hooks: {},
  ways: [
    amplitudeWay({
      name: "user in a job",
      steps: [asked(jobs("staging", "u-1"))],
      outcome: accepted("2026-11-21", 86_400),
    }),
    amplitudeWay({
      name: "user who is in no job",
      steps: [asked({ status: 200, body: [] }), asked({ status: 200, body: [] })],
      outcome: notFound,
    }),
    amplitudeWay({
      name: "look for a user who is gone, and finds one whose id begins so",
      part: "look",
      steps: [asked({ status: 200, body: { matches: [{ amplitude_id: 7, user_id: "u-11" }], type: "x" } })],
      outcome: "absent",
    }),
    amplitudeWay({
      name: "look for a user who is there",
      part: "look",
      steps: [asked({ status: 200, body: { matches: [{ amplitude_id: 7, user_id: "u-1" }], type: "x" } })],
      outcome: "present",
    }),
    jobCheck("staging", accepted("2026-11-21", 86_400)),
    jobCheck("submitted", accepted("2026-11-21", 86_400)),
    jobCheck("done", erased),
  ],
};
