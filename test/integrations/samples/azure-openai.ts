import { erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, type Way } from "./kit.ts";

const file = { type: "azure-openai.file", value: "assistant-abc123" };
const deleted = { status: 200, body: { id: "assistant-abc123", object: "file", deleted: true } };
const gone = { status: 404, body: { error: { code: "404", message: "Resource not found" } } };
const items = (...ids: readonly string[]): Played => ({
  status: 200,
  body: { object: "list", data: ids.map((id) => ({ id })), has_more: false },
});
const azureWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: file,
  ...way,
});
const byId = on(200, 403, 404);

export const sample: Sample = {
  settings: { resource: "acme-ai", apiKey: "0123456789abcdef0123456789abcdef" },
  hooks: {},
  ways: [
    azureWay({ name: "file deleted", steps: [byId(deleted)], outcome: erased }),
    azureWay({ name: "no such file", steps: [byId(gone)], outcome: notFound }),
    azureWay({
      name: "thread deleted",
      identity: { type: "azure-openai.thread", value: "thread_1" },
      steps: [byId({ status: 200, body: { id: "thread_1", object: "thread.deleted", deleted: true } })],
      outcome: erased,
    }),
    azureWay({
      name: "conversation with an item",
      identity: { type: "azure-openai.conversation", value: "conv_1" },
      steps: [byId(items("msg_1")), byId({ status: 200, body: { id: "conv_1" } }), byId(items()), byId(deleted)],
      outcome: erased,
    }),
    azureWay({ name: "look at a file that is gone", part: "look", steps: [byId(gone)], outcome: "absent" }),
    azureWay({
      name: "look at a file that is there",
      part: "look",
      steps: [byId({ status: 200, body: { id: "assistant-abc123", object: "file" } })],
      outcome: "present",
    }),
  ],
};
