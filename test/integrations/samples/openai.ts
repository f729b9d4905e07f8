import { erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, type Way } from "./kit.ts";

const file = { type: "openai.file", value: "file-abc123" };
const deleted = { status: 200, body: { id: "file-abc123", object: "file", deleted: true } };
const openaiWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: file,
  ...way,
});
const list = (...ids: readonly string[]): Played => ({
  status: 200,
  body: { object: "list", data: ids.map((id) => ({ id })), has_more: false },
});
const gone = { status: 404, body: { error: { message: "No such object", type: "invalid_request_error", code: null } } };
const byId = on(200, 404);
const listing = on(200);
const none = () => [];

export const sample: Sample = {
  settings: { apiKey: "sk-proj-0123456789", webhookSecret: "whsec_RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c=" },
  hooks: {
    // None tells of an erasure, and none names a person.
    events: {
      "response.completed": none,
      "response.failed": none,
      "response.cancelled": none,
      "response.incomplete": none,
      "batch.completed": none,
      "batch.failed": none,
      "batch.cancelled": none,
      "batch.expired": none,
      "fine_tuning.job.succeeded": none,
      "fine_tuning.job.failed": none,
      "fine_tuning.job.cancelled": none,
      "eval.run.succeeded": none,
      "eval.run.failed": none,
      "eval.run.canceled": none,
      "realtime.call.incoming": none,
      "agent.session.created": none,
      "agent.session.action_required": none,
      "agent.session.in_progress": none,
      "agent.session.idle": none,
      "agent.session.failed": none,
      "safety.warning_issued": none,
      "safety.deactivation_issued": none,
    },
  },
  ways: [
    openaiWay({ name: "file deleted", steps: [byId(deleted)], outcome: erased }),
    openaiWay({ name: "no such file", steps: [byId(gone)], outcome: notFound }),
    openaiWay({
      name: "conversation with an item",
      identity: { type: "openai.conversation", value: "conv_1" },
      steps: [byId(list("msg_1")), byId({ status: 200, body: { id: "conv_1" } }), byId(list()), byId(deleted)],
      outcome: erased,
    }),
    openaiWay({
      name: "completions by metadata",
      identity: { type: "openai.metadata", value: "subject=u-1" },
      steps: [listing(list("chatcmpl-1")), byId(deleted), listing(list())],
      outcome: erased,
    }),
    openaiWay({
      name: "no completions by metadata",
      identity: { type: "openai.metadata", value: "subject=u-1" },
      steps: [listing(list())],
      outcome: notFound,
    }),
    openaiWay({ name: "look at a file that is gone", part: "look", steps: [byId(gone)], outcome: "absent" }),
    openaiWay({
      name: "look at a file that is there",
      part: "look",
      steps: [byId({ status: 200, body: { id: "file-abc123", object: "file" } })],
      outcome: "present",
    }),
    openaiWay({
      name: "look for completions by metadata",
      part: "look",
      identity: { type: "openai.metadata", value: "subject=u-1" },
      steps: [listing(list())],
      outcome: "absent",
    }),
  ],
};
