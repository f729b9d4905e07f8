import { erased, notFound, retained } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, type Way } from "./kit.ts";

const payment = { type: "adyen.psp_reference", value: "881234567890123A" };
const method = { type: "adyen.stored_method", value: "M5N7TQ4TG5PFWR50/shopper-1" };
const adyenWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: payment,
  ...way,
});
const asked = on(200, 401, 403);
const result = (said: string) => asked({ status: 200, body: { result: said } });
const listed = (...ids: readonly string[]): Played => ({
  status: 200,
  body: { merchantAccount: "Acme", shopperReference: "shopper-1", storedPaymentMethods: ids.map((id) => ({ id })) },
});

export const sample: Sample = {
  settings: {
    environment: "live",
    merchantAccount: "AcmeECOM",
    apiKey: "AQE0123456789abcdef",
    checkout: "1797a841fbb37ca7-acme-checkout-live",
  },
  hooks: {},
  ways: [
    adyenWay({ name: "erasure taken", steps: [result("SUCCESS")], outcome: erased }),
    adyenWay({ name: "erasure asked for before", steps: [result("ALREADY_PROCESSED")], outcome: erased }),
    adyenWay({ name: "no such payment", steps: [result("PAYMENT_NOT_FOUND")], outcome: notFound }),
    adyenWay({
      name: "payment that is kept",
      keeps: ["payments"],
      steps: [],
      outcome: retained("payments", [payment]),
    }),
    adyenWay({
      name: "methods of a shopper",
      identity: { type: "adyen.shopper_reference", value: "shopper-1" },
      steps: [asked(listed("M5N7TQ4TG5PFWR50"))],
      outcome: { outcome: "found", identities: [method] },
    }),
    adyenWay({
      name: "shopper without methods",
      identity: { type: "adyen.shopper_reference", value: "shopper-1" },
      steps: [asked(listed())],
      outcome: notFound,
    }),
    adyenWay({
      name: "method deleted",
      identity: method,
      steps: [asked(listed("M5N7TQ4TG5PFWR50")), on(204, 401, 403)({ status: 204 })],
      outcome: erased,
    }),
    adyenWay({ name: "method gone before", identity: method, steps: [asked(listed("other"))], outcome: notFound }),
    adyenWay({ name: "method gone", part: "look", identity: method, steps: [asked(listed())], outcome: "absent" }),
    adyenWay({ name: "payment", part: "look", steps: [], outcome: "no_view" }),
  ],
};
