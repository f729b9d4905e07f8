import { erased, notFound } from "../../../src/contract/outcome.ts";
import { on, type Sample, type Way } from "./kit.ts";

const file = { type: "gemini.file", value: "files/abc-123" };
const byId = on(200, 400, 403, 404);
const gone = { status: 404, body: { error: { code: 404, message: "no such", status: "NOT_FOUND" } } };
const hidden = {
  status: 403,
  body: {
    error: {
      code: 403,
      message: "You do not have permission to access the File abc-123 or it may not exist.",
      status: "PERMISSION_DENIED",
    },
  },
};
const way = (rest: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: file,
  ...rest,
});

export const sample: Sample = {
  settings: { apiKey: "AIza0123456789abcdefghijklmnopqrstuvwxy" },
  hooks: {},
  ways: [
    way({ name: "file deleted", steps: [byId({ status: 200, body: {} })], outcome: erased }),
    way({ name: "file that is gone", steps: [byId(hidden)], outcome: notFound }),
    way({
      name: "document that is gone",
      identity: { type: "gemini.document", value: "fileSearchStores/notes-1/documents/doc-1" },
      steps: [byId(gone)],
      outcome: notFound,
    }),
    way({ name: "look at a file that is gone", part: "look", steps: [byId(hidden)], outcome: "absent" }),
    way({
      name: "look at a file that is there",
      part: "look",
      steps: [byId({ status: 200, body: { name: "files/abc-123", state: "ACTIVE" } })],
      outcome: "present",
    }),
  ],
};
