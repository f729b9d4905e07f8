import type { ActionName } from "../../../src/contract/integration.ts";
import { type Answer, awaitsCompletion, erased, notFound, retained, revoked } from "../../../src/contract/outcome.ts";
import { on, person, type Sample, type Way } from "./kit.ts";

const told = on(200, 202);
const own = (action: ActionName, body: object, outcome: Answer): Way => ({
  name: `${action} answered with ${JSON.stringify(body)}`,
  action,
  part: "run",
  identity: person,
  steps: [told({ status: 200, body })],
  outcome,
});

export const sample: Sample = {
  settings: {
    url: "https://privacy.example.com/erasure",
    secret: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
  },
  hooks: {},
  ways: [
    own("erase", { status: "done" }, erased),
    own("erase", { status: "not_found" }, notFound),
    own("erase", { status: "accepted" }, awaitsCompletion),
    own("erase", { status: "retained", category: "backups" }, retained("backups", [person])),
    own("revoke", { status: "done" }, revoked),
  ],
};
