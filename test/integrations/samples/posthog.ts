import { type Answer, accepted, erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { person as byEmail, on, type Sample, type Way } from "./kit.ts";

const uuid = "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b";
const posthogWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: { type: "posthog.person", value: uuid },
  ...way,
});
const persons = (...uuids: readonly string[]): Played => ({
  status: 200,
  body: { next: null, previous: null, results: uuids.map((each) => ({ id: 1, uuid: each, distinct_ids: ["u-1"] })) },
});
const rows = (status: string): Played => ({
  status: 200,
  body: {
    next: null,
    results: [
      {
        person_uuid: uuid,
        created_at: "2026-11-20T10:00:00Z",
        status,
        delete_verified_at: status === "completed" ? "2026-11-22T03:00:00Z" : null,
      },
    ],
  },
});
const asked = on(200, 401, 403);
const found: Answer = { outcome: "found", identities: [{ type: "posthog.person", value: uuid }] };
const statusCheck = (status: string, outcome: Answer): Way =>
  posthogWay({ name: `deletion ${status}`, part: { check: `deleted:${uuid}` }, steps: [asked(rows(status))], outcome });

export const sample: Sample = {
  settings: { projectId: "12345", apiKey: "phx_0123456789abcdef", residency: "EU" },
  hooks: {},
  ways: [
    posthogWay({
      name: "distinct id found",
      identity: { type: "posthog.distinct_id", value: "u-1" },
      steps: [asked(persons(uuid))],
      outcome: found,
    }),
    posthogWay({ name: "e-mail found", identity: byEmail, steps: [asked(persons(uuid))], outcome: found }),
    posthogWay({ name: "e-mail not found", identity: byEmail, steps: [asked(persons())], outcome: notFound }),
    posthogWay({
      name: "deletion queued",
      steps: [
        on(
          202,
          401,
          403,
        )({
          status: 202,
          body: {
            persons_found: 1,
            persons_deleted: 0,
            persons_queued_for_deletion: 1,
            events_queued_for_deletion: true,
            recordings_queued_for_deletion: true,
            deletion_errors: [],
          },
        }),
      ],
      outcome: accepted(`deleted:${uuid}`, 86_400),
    }),
    posthogWay({
      name: "look at a person who is gone",
      part: "look",
      steps: [on(200, 403, 404)({ status: 404, body: {} })],
      outcome: "absent",
    }),
    posthogWay({
      name: "look at a person who is there",
      part: "look",
      steps: [on(200, 403, 404)({ status: 200, body: { uuid } })],
      outcome: "present",
    }),
    statusCheck("pending", accepted(`deleted:${uuid}`, 86_400)),
    statusCheck("completed", erased),
    posthogWay({
      name: "nothing recorded, and nobody there",
      part: { check: `asked:${uuid}` },
      steps: [asked({ status: 200, body: { results: [] } }), on(200, 403, 404)({ status: 404, body: {} })],
      outcome: notFound,
    }),
  ],
};
