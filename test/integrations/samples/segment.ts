import { type Answer, accepted, erased } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, type Way } from "./kit.ts";

const segmentWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: { type: "segment.user_id", value: "u-1" },
  ...way,
});
const regulation = (overallStatus: string, own: string, other: string): Played => ({
  status: 200,
  body: {
    data: {
      regulation: {
        id: "reg-1",
        workspaceId: "ws-1",
        overallStatus,
        createdAt: "2026-11-20T10:00:00.000Z",
        streamStatus: [
          {
            id: "source-1",
            destinationStatus: [
              { name: "Segment", id: "d-1", status: own, errString: "" },
              { name: "Acme Analytics", id: "d-2", status: other, errString: "" },
            ],
          },
        ],
      },
    },
  },
});
const regulationCheck = (name: string, reply: Played, outcome: Answer): Way =>
  segmentWay({ name, part: { check: "reg-1" }, steps: [on(200, 401, 403, 404)(reply)], outcome });

export const sample: Sample = {
  settings: { apiToken: "sgp_0123456789", residency: "EU" },
  hooks: {},
  ways: [
    segmentWay({
      name: "regulation made",
      steps: [on(200, 401, 403)({ status: 200, body: { data: { regulateId: "reg-1" } } })],
      outcome: accepted("reg-1", 86_400),
    }),
    regulationCheck("waiting", regulation("INITIALIZED", "INITIALIZED", "INITIALIZED"), accepted("reg-1", 86_400)),
    regulationCheck("running", regulation("RUNNING", "RUNNING", "RUNNING"), accepted("reg-1", 86_400)),
    regulationCheck("finished", regulation("FINISHED", "FINISHED", "FINISHED"), erased),
    regulationCheck(
      "failed where a destination is not supported",
      regulation("FAILED", "FINISHED", "NOT_SUPPORTED"),
      erased,
    ),
  ],
};
