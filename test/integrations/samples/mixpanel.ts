import { type Answer, accepted, erased } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, type Way } from "./kit.ts";

const distinctId = { type: "mixpanel.distinct_id", value: "u-1" };
const mixpanelWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: distinctId,
  ...way,
});
/** As the description shows it, all fields included. */
const deletionJob = (status: string, more: object = {}): Played => ({
  status: 200,
  body: {
    status: "ok",
    results: {
      tracking_id: "1583958896131033662",
      status,
      requesting_user: "owner@example.com",
      compliance_type: "GDPR",
      project_id: 1,
      date_requested: "2026-11-20T10:00:00.078315",
      distinct_ids: ["u-1"],
      ...more,
    },
  },
});
// 409 is not in the documents; clients have recorded it.
const creating = on(201, 401, 403, 409);
const asking = on(200, 401, 403);
const jobCheck = (status: string, outcome: Answer): Way =>
  mixpanelWay({ name: `job ${status}`, part: { check: "job-1" }, steps: [asking(deletionJob(status))], outcome });

export const sample: Sample = {
  settings: {
    projectToken: "591b3354bb2bdd96f72f23bf56911673",
    oauthToken: "vZcErNw8JCq42BZUJyWoZmDWCKBxXc",
    residency: "EU",
  },
  hooks: {},
  ways: [
    mixpanelWay({
      name: "job created",
      steps: [creating({ status: 201, body: { status: "ok", results: { task_id: "job-1" } } })],
      outcome: accepted("job-1", 86_400),
    }),
    mixpanelWay({
      name: "job that was created before",
      steps: [
        creating({
          status: 409,
          body: {
            status: "error",
            error: { conflicting_distinct_ids: ["u-1"], conflicting_task_ids: ["job-0"], error: "in progress" },
          },
        }),
        asking(deletionJob("STAGING")),
      ],
      outcome: accepted("job-0", 86_400),
    }),
    jobCheck("STARTED", accepted("job-1", 86_400)),
    jobCheck("SUCCESS", erased),
  ],
};
