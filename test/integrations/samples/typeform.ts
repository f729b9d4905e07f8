import { accepted, erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, person, type Sample, type Way } from "./kit.ts";

const response = { type: "typeform.response", value: "u6nXL7/r1" };
const TEN_MINUTES = 600;
const known = on(200, 403);
const forms: Played = { status: 200, body: { total_items: 1, page_count: 1, items: [{ id: "u6nXL7", title: "Ask" }] } };
const responses = (...items: readonly object[]): Played => ({
  status: 200,
  body: { total_items: items.length, page_count: 1, items },
});
const ada = { response_id: "r1", token: "r1", answers: [{ type: "email", email: "Ada@Example.com" }], hidden: {} };
const way = (name: string, more: Pick<Way, "steps" | "outcome"> & Partial<Way>): Way => ({
  name,
  action: "erase",
  part: "run",
  identity: response,
  ...more,
});

export const sample: Sample = {
  settings: { token: "tfp_0123456789abcdef" },
  hooks: {},
  ways: [
    way("found", {
      identity: person,
      steps: [known(forms), known(responses(ada))],
      outcome: { outcome: "found", identities: [response] },
    }),
    way("not found", { identity: person, steps: [known(forms), known(responses())], outcome: notFound }),
    way("taken", { steps: [known({ status: 200 })], outcome: accepted("response", TEN_MINUTES) }),
    way("still there", {
      part: { check: "response" },
      steps: [known(responses(ada))],
      outcome: accepted("response", TEN_MINUTES),
    }),
    way("gone", { part: { check: "response" }, steps: [known(responses())], outcome: erased }),
  ],
};
