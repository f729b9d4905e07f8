import { accepted, erased, notFound } from "../../../src/contract/outcome.ts";
import { keyFile } from "../../support/service-account.ts";
import { on, type Sample, type Way } from "./kit.ts";

const ada = { type: "user_id", value: "u-42" };
const token = on(200)({ status: 200, body: { access_token: "ya29.a", expires_in: 3599, token_type: "Bearer" } });
const insert = on(200, 400, 403, 409);
const look = on(200, 403, 404);
const done = (numDmlAffectedRows: string) => ({
  status: 200,
  body: { status: { state: "DONE" }, statistics: { query: { statementType: "DELETE", numDmlAffectedRows } } },
});
const way = (rest: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: { check: "quittance_batch" },
  identity: ada,
  ...rest,
});

export const sample: Sample = {
  settings: {
    serviceAccountKey: keyFile(),
    project: "example-project",
    location: "EU",
    tables: "product.events:user_id",
  },
  hooks: {},
  ways: [
    way({
      name: "job begun",
      part: "run",
      steps: [token, insert({ status: 200, body: { status: { state: "RUNNING" } } })],
      outcome: accepted("quittance_batch", 30),
    }),
    way({
      name: "job that runs",
      steps: [token, look({ status: 200, body: { status: { state: "RUNNING" } } })],
      outcome: accepted("quittance_batch", 30),
    }),
    way({ name: "job that is done", steps: [token, look(done("7"))], outcome: erased }),
    way({ name: "job that found nothing", steps: [token, look(done("0"))], outcome: notFound }),
  ],
};
