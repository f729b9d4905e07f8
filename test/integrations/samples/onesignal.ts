import { erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, type Way } from "./kit.ts";

const user = { type: "onesignal.onesignal_id", value: "567491ee-9105-4a87-9cbc-ed78a571645b" };
const onesignalWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: user,
  ...way,
});
const isFound = { outcome: "found", identities: [user] } as const;
const there: Played = {
  status: 200,
  body: { properties: {}, identity: { onesignal_id: user.value }, subscriptions: [] },
};
const gone: Played = { status: 404, body: { errors: [{ title: "User not found" }] } };
const reading = on(200, 401, 404);
const removing = on(200, 202, 401, 404, 409);

export const sample: Sample = {
  settings: { appId: "01234567-89ab-4cde-8f01-23456789abcd", apiKey: "os_v2_app_0123456789" },
  hooks: {},
  ways: [
    onesignalWay({
      name: "user by the tenant's id",
      identity: { type: "onesignal.external_id", value: "u-1" },
      steps: [reading(there)],
      outcome: isFound,
    }),
    onesignalWay({
      name: "user by a subscription",
      identity: { type: "onesignal.subscription", value: "s-1" },
      steps: [reading(there)],
      outcome: isFound,
    }),
    onesignalWay({
      name: "nobody by the tenant's id",
      identity: { type: "onesignal.external_id", value: "u-1" },
      steps: [reading(gone)],
      outcome: notFound,
    }),
    onesignalWay({ name: "deletion accepted", steps: [removing({ status: 202, body: there.body })], outcome: erased }),
    onesignalWay({ name: "no such user", steps: [removing(gone)], outcome: notFound }),
    onesignalWay({
      name: "user busy",
      steps: [removing({ status: 409 })],
      outcome: { outcome: "slow_down", seconds: 60 },
    }),
    onesignalWay({ name: "gone at a later look", part: "look", steps: [reading(gone)], outcome: "absent" }),
    onesignalWay({ name: "there at a later look", part: "look", steps: [reading(there)], outcome: "present" }),
  ],
};
