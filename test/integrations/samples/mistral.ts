import { erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, type Way } from "./kit.ts";

const file = { type: "mistral.file", value: "497f6eca-6276-4993-bfeb-53cbbbba6f09" };
const id = file.value;
const gone: Played = { status: 404, body: { object: "error", message: "Not found", type: "not_found", code: null } };
const mistralWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: file,
  ...way,
});
const full = on(200, 403, 404);
const empty = on(204, 403, 404);
const either = on(200, 204, 403, 404);

export const sample: Sample = {
  settings: { apiKey: "0123456789abcdefghijklmnopqrstuv" },
  hooks: {},
  ways: [
    mistralWay({
      name: "file deleted",
      steps: [full({ status: 200, body: { id, object: "file", deleted: true } })],
      outcome: erased,
    }),
    mistralWay({ name: "no such file", steps: [full(gone)], outcome: notFound }),
    mistralWay({
      name: "conversation deleted",
      identity: { type: "mistral.conversation", value: "conv_1" },
      steps: [empty({ status: 204 })],
      outcome: erased,
    }),
    mistralWay({
      name: "batch job to be deleted",
      identity: { type: "mistral.batch_job", value: id },
      steps: [full({ status: 200, body: { id, object: "batch", deleted: true } })],
      outcome: erased,
    }),
    mistralWay({
      name: "library deleted, as it is today",
      identity: { type: "mistral.library", value: id },
      steps: [either({ status: 200, body: { id, name: "Ada's papers" } })],
      outcome: erased,
    }),
    mistralWay({
      name: "library deleted, as was announced",
      identity: { type: "mistral.library", value: id },
      steps: [either({ status: 204 })],
      outcome: erased,
    }),
    mistralWay({
      name: "document deleted",
      identity: { type: "mistral.document", value: `${id}/${id}` },
      steps: [empty({ status: 204 })],
      outcome: erased,
    }),
    mistralWay({
      name: "agent deleted",
      identity: { type: "mistral.agent", value: "ag_1" },
      steps: [empty({ status: 204 })],
      outcome: erased,
    }),
    mistralWay({
      name: "voice deleted",
      identity: { type: "mistral.voice", value: id },
      steps: [full({ status: 200, body: { id, name: "Ada" } })],
      outcome: erased,
    }),
    mistralWay({ name: "look at a file that is gone", part: "look", steps: [full(gone)], outcome: "absent" }),
    mistralWay({
      name: "look at a file that is there",
      part: "look",
      steps: [full({ status: 200, body: { id, object: "file" } })],
      outcome: "present",
    }),
  ],
};
