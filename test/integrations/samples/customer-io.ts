import { erased, notFound } from "../../../src/contract/outcome.ts";
import { on, person, type Sample, signal, type Way } from "./kit.ts";

const cioId = { type: "customer-io.cio_id", value: "d9c1" };
const customerWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: cioId,
  ...way,
});
const reading = on(200, 401, 404);
const there = reading({
  status: 200,
  body: { customer: { id: "u-1", attributes: { id: "u-1", cio_id: "d9c1", email: "ada@example.com" } } },
});
const gone = reading({ status: 404, body: { errors: [{ detail: "not found", status: "404" }] } });
const listed = (...people: readonly object[]) => on(200, 401)({ status: 200, body: { results: people } });

export const sample: Sample = {
  settings: {
    siteId: "0123456789abcdef",
    trackApiKey: "fedcba9876543210",
    appApiKey: "app-0123456789",
    residency: "EU",
    signingKey: "0123456789abcdef0123456789abcdef",
  },
  hooks: {
    reporting: {
      "customer.unsubscribed": (at) => [signal("consent_withdrawn", { type: "customer-io.id", value: "u-1" }, at)],
    },
  },
  ways: [
    customerWay({
      name: "person by e-mail",
      identity: person,
      steps: [listed({ id: "u-1", cio_id: "d9c1", email: "ada@example.com" })],
      outcome: { outcome: "found", identities: [cioId] },
    }),
    customerWay({ name: "nobody by e-mail", identity: person, steps: [listed()], outcome: notFound }),
    customerWay({
      name: "person by the tenant's id",
      identity: { type: "customer-io.id", value: "u-1" },
      steps: [there],
      outcome: { outcome: "found", identities: [cioId] },
    }),
    customerWay({ name: "suppressed", steps: [there, on(200, 401)({ status: 200, body: {} })], outcome: erased }),
    customerWay({ name: "no such person", steps: [gone], outcome: notFound }),
    customerWay({ name: "gone at a later look", part: "look", steps: [gone], outcome: "absent" }),
    customerWay({ name: "there at a later look", part: "look", steps: [there], outcome: "present" }),
  ],
};
