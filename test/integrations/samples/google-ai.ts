import { accepted, erased, notFound } from "../../../src/contract/outcome.ts";
import { keyFile } from "../../support/service-account.ts";
import { on, type Sample, type Way } from "./kit.ts";

const place = "projects/example-project/locations/europe-west1";
const session = { type: "google-ai.session", value: `${place}/reasoningEngines/1/sessions/2` };
const operation = `${place}/reasoningEngines/1/sessions/2/operations/3`;
const token = on(200)({ status: 200, body: { access_token: "ya29.a", expires_in: 3599, token_type: "Bearer" } });
const removal = on(200, 400, 403, 404);
const look = on(200, 403, 404);
const gone = { status: 404, body: { error: { code: 404, message: "no such", status: "NOT_FOUND" } } };
const way = (rest: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: session,
  ...rest,
});

export const sample: Sample = {
  settings: { serviceAccountKey: keyFile() },
  hooks: {},
  ways: [
    way({
      name: "deletion begun",
      steps: [token, removal({ status: 200, body: { name: operation } })],
      outcome: accepted(operation, 15),
    }),
    way({
      name: "deletion done",
      part: { check: operation },
      steps: [token, look({ status: 200, body: { name: operation, done: true, response: {} } })],
      outcome: erased,
    }),
    way({
      name: "cached content deleted",
      identity: { type: "google-ai.cached_content", value: `${place}/cachedContents/9` },
      steps: [token, removal({ status: 200, body: {} })],
      outcome: erased,
    }),
    way({ name: "session that is gone", steps: [token, removal(gone)], outcome: notFound }),
    way({ name: "look at one that is gone", part: "look", steps: [token, look(gone)], outcome: "absent" }),
    way({
      name: "look at one that is there",
      part: "look",
      steps: [token, look({ status: 200, body: { name: session.value } })],
      outcome: "present",
    }),
  ],
};
