import { describe, expect, it } from "vitest";
import { opendsr } from "../../integrations/opendsr.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { sample } from "./samples/opendsr.ts";

const { erase } = opendsr.actions;
if (isAbsent(erase) || isBulk(erase) || erase.check === undefined) throw new Error("OpenDSR has an erasure");
const { check } = erase;

const settings = {
  url: "https://opendsr.example.com/v2",
  authorization: "Basic YTpi",
  regulation: "ccpa",
  domain: "opendsr.example.com",
  certificate: sample.settings.certificate ?? "",
};
const email = { type: "email", value: "ada@example.com" };
const identities = [email, { type: "user_id", value: "u-1" }, { type: "opendsr.android_id", value: "a-1" }];
const order = orderFor(settings, email, { identities });
const taken = sample.ways[0]?.steps[0]?.reply ?? { status: 0 };
const outcome = (changed: Partial<Played>) => play(erase.run(order), [{ ...taken, ...changed }]).outcome;

describe("asking a processor that speaks OpenDSR", () => {
  it("names the person by all identities that the protocol has, and the time of the person's own request", () => {
    const [call] = play(erase.run(order), [taken]).calls;
    expect(call).toMatchObject({ method: "POST", at: { url: "https://opendsr.example.com/v2/requests" } });
    expect(call?.headers).toMatchObject({ authorization: "Basic YTpi" });
    expect(JSON.parse(call?.body ?? "")).toMatchObject({
      regulation: "ccpa",
      subject_request_type: "erasure",
      submitted_time: "2026-11-20T09:00:00.000Z",
      subject_identities: [
        { identity_type: "email", identity_value: "ada@example.com", identity_format: "raw" },
        { identity_type: "controller_customer_id", identity_value: "u-1", identity_format: "raw" },
        { identity_type: "android_id", identity_value: "a-1", identity_format: "raw" },
      ],
    });
  });

  it("[I3] gives a request the same id each time, and each request its own, as UUIDs of version 4", () => {
    const idOf = (key: string) => {
      const { calls } = play(erase.run({ ...order, idempotencyKey: () => key }), [{ status: 500 }]);
      return JSON.parse(calls[0]?.body ?? "").subject_request_id;
    };
    expect(idOf("a")).toBe(idOf("a"));
    const ids = Array.from({ length: 1000 }, (_, nth) => idOf(`req_11${nth}/dsr.erase/request/0`));
    expect(new Set(ids).size).toBe(1000);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("[I4] believes only what the processor has signed, for its domain, about this request", () => {
    expect(outcome({})).toMatchObject({ outcome: "accepted" });
    expect(outcome({ headers: { "x-opengdpr-processor-domain": "OpenDSR.example.com" } })).toMatchObject({
      outcome: "accepted",
    });
    expect(outcome({ proven: false })).toMatchObject({ outcome: "unforeseen" });
    expect(outcome({ headers: {} })).toMatchObject({ outcome: "unforeseen" });
    expect(outcome({ headers: { "x-opendsr-processor-domain": "other.example" } })).toMatchObject({
      outcome: "unforeseen",
    });
    expect(outcome({ body: { subject_request_id: "another" } })).toMatchObject({ outcome: "unforeseen" });
    const done = { status: 200, body: { subject_request_id: "r-1", request_status: "completed" } };
    expect(play(check("r-1", order), [{ ...taken, ...done }]).outcome).toMatchObject({ outcome: "erased" });
    expect(play(check("r-1", order), [{ ...taken, ...done, proven: false }]).outcome).toMatchObject({
      outcome: "unforeseen",
    });
    expect(play(check("r-2", order), [{ ...taken, ...done }]).outcome).toMatchObject({ outcome: "unforeseen" });
  });

  it("shows the refusal of a request that it never took", () => {
    const { outcome } = play(erase.run(order), [{ status: 400 }, { status: 404 }]);
    expect(outcome).toMatchObject({ outcome: "unforeseen", status: 400 });
  });

  it("takes no certificate or credential that is none", () => {
    const fits = (changed: object) => settingsSchema(opendsr.settings).safeParse({ ...settings, ...changed }).success;
    expect(fits({})).toBe(true);
    expect(fits({ certificate: "https://opendsr.example.com/cert.pem" })).toBe(false);
    expect(fits({ authorization: "t0ken" })).toBe(false);
    expect(fits({ regulation: "lgpd" })).toBe(false);
  });
});
