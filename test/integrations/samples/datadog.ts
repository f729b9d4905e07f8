import { accepted, erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, type Sample, type Way } from "./kit.ts";

const datadogWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: { type: "datadog.user_id", value: "u-1" },
  ...way,
});
const request = (status: string, created_at: string, total_unrestricted = 10) => ({
  id: "1",
  type: "deletion_request",
  attributes: { status, created_at, is_created: true, total_unrestricted, query: "@usr.id:u-1", product: "logs" },
});
const listed = (...requests: readonly object[]): Played => ({ status: 200, body: { data: requests, meta: {} } });
const asked = on(200, 401, 403, 412);
const listing = on(200, 401, 403);
const LONG_AGO = "2026-11-01T10:00:00.000000Z";

export const sample: Sample = {
  settings: {
    site: "datadoghq.eu",
    apiKey: "0123456789abcdef0123456789abcdef",
    appKey: "fedcba9876543210fedcba9876543210fedcba98",
    userFacet: "@usr.id",
    emailFacet: "@usr.email",
    days: "30",
  },
  hooks: {},
  ways: [
    datadogWay({
      name: "deletion asked for",
      steps: [asked({ status: 200, body: { data: request("pending", "2026-11-21T09:00:00Z") } })],
      outcome: accepted("1", 864_000),
    }),
    datadogWay({
      name: "deletion that can be canceled still",
      part: { check: "1" },
      steps: [listing(listed(request("pending", "2026-11-20T09:00:00Z")))],
      outcome: accepted("1", 86_400),
    }),
    datadogWay({
      name: "deletion that is permanent",
      part: { check: "1" },
      steps: [listing(listed(request("pending", LONG_AGO)))],
      outcome: erased,
    }),
    datadogWay({
      name: "deletion of nothing",
      part: { check: "1" },
      steps: [listing(listed(request("pending", LONG_AGO, 0)))],
      outcome: notFound,
    }),
    datadogWay({
      name: "no logs at a later look",
      part: "look",
      steps: [listing({ status: 200, body: { data: [], meta: {} } })],
      outcome: "absent",
    }),
    datadogWay({
      name: "logs at a later look",
      part: "look",
      steps: [listing({ status: 200, body: { data: [{ id: "log-1" }] } })],
      outcome: "present",
    }),
  ],
};
