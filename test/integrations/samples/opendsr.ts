import { accepted, erased } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, person, type Sample, type Way } from "./kit.ts";

/** What the key `key request` gives. */
const ID = "f3f7cefd-bec1-4f11-9f46-727b95b21a8d";
const SIX_HOURS = 6 * 3600;

const signed = (status: number, body: object): Played => ({
  status,
  body: { controller_id: "acme", expected_completion_time: "2026-12-01T00:00:00Z", subject_request_id: ID, ...body },
  headers: { "x-opendsr-processor-domain": "opendsr.example.com" },
  proven: true,
});
const taken = signed(201, { received_time: "2026-11-21T09:00:00Z", encoded_request: "e30=" });
const status = (request_status: string) => signed(200, { request_status, api_version: "2.0" });
const refused: Played = { status: 400, body: { error: { code: 400, message: "it is there" } } };

const way = (name: string, steps: Way["steps"], outcome: Way["outcome"], more: Partial<Way> = {}): Way => ({
  name,
  action: "erase",
  part: "run",
  identity: person,
  steps,
  outcome,
  ...more,
});
const check = { part: { check: ID } } as const;
const post = on(201, 400);
const get = on(200);
const cancelled = {
  outcome: "unforeseen",
  status: 0,
  what: "the processor says that this request was cancelled",
  anew: true,
} as const;

export const sample: Sample = {
  settings: {
    url: "https://opendsr.example.com/v2",
    authorization: "Bearer t0ken-0123456789",
    regulation: "gdpr",
    domain: "opendsr.example.com",
    certificate: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
  },
  hooks: {},
  ways: [
    way("taken", [post(taken)], accepted(ID, SIX_HOURS)),
    way("taken before", [post(refused), get(status("in_progress"))], accepted(ID, SIX_HOURS)),
    way("completed before", [post(refused), get(status("completed"))], erased),
    way("pending", [get(status("pending"))], accepted(ID, SIX_HOURS), check),
    way("completed", [get(status("completed"))], erased, check),
    way("cancelled", [get(status("cancelled"))], cancelled, check),
  ],
};
