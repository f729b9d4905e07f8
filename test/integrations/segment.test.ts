import { describe, expect, it } from "vitest";
import { segment } from "../../integrations/segment.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { accepted, erased } from "../../src/contract/outcome.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = segment.actions;
if (isAbsent(erase) || !isBulk(erase) || erase.bulk.check === undefined) throw new Error("Segment has an erasure");
const { run, check, most } = erase.bulk;

const DAY = 86_400;
const settings = { apiToken: "sgp_1", residency: "US", regulation: "" };
const order = (value: string, more: Partial<typeof settings> = {}) =>
  orderFor({ ...settings, ...more }, { type: "segment.user_id", value });
const made: Played = { status: 200, body: { data: { regulateId: "reg-1" } } };

type Part = { readonly name: string; readonly status: string };
const regulation = (overallStatus: string, ...parts: readonly Part[]): Played => ({
  status: 200,
  body: {
    data: { regulation: { id: "reg-1", overallStatus, streamStatus: [{ id: "s", destinationStatus: parts }] } },
  },
});
const ask = (reply: Played) => play(check("reg-1", [order("u-1"), order("u-2")]), [reply]);

describe("regulations at Segment", () => {
  it("are made once for all, for at most five thousand user ids", () => {
    const { calls, outcome } = play(run([order("u-1"), order("u-2")], "batch"), [made]);
    expect(outcome).toEqual([accepted("reg-1", DAY), accepted("reg-1", DAY)]);
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      method: "POST",
      at: { url: "https://api.segmentapis.com/regulations" },
      headers: { authorization: "Bearer sgp_1", "content-type": "application/json" },
    });
    expect(JSON.parse(calls[0]?.body ?? "")).toEqual({
      regulationType: "SUPPRESS_WITH_DELETE",
      subjectType: "USER_ID",
      subjectIds: ["u-1", "u-2"],
    });
    expect(most).toBe(5000);
  });

  it("are of the kind and in the region that the settings say", () => {
    const here = [order("u-1", { residency: "EU", regulation: "DELETE_ONLY" })];
    const { calls } = play(run(here, "batch"), [made]);
    expect(new URL(calls[0]?.at.url ?? "").host).toBe("eu1.api.segmentapis.com");
    expect(JSON.parse(calls[0]?.body ?? "")).toMatchObject({ regulationType: "DELETE_ONLY" });
    const schema = settingsSchema(segment.settings);
    const { apiToken } = settings;
    expect(schema.safeParse({ apiToken, residency: "US" }).success).toBe(true);
    // Blocking alone erases nothing.
    for (const wrong of [{ residency: "DE" }, { residency: "US", regulation: "SUPPRESS_ONLY" }])
      expect(schema.safeParse({ apiToken, ...wrong }).success).toBe(false);
  });

  it("are asked about once for all, a day apart, until they are finished", () => {
    for (const status of ["INITIALIZED", "RUNNING"]) {
      const { calls, outcome } = ask(regulation(status));
      expect(calls).toHaveLength(1);
      expect(outcome).toEqual([accepted("reg-1", DAY), accepted("reg-1", DAY)]);
    }
    expect(ask(regulation("FINISHED")).outcome).toEqual([erased, erased]);
    // What is not there yet may be null, and a part may have a state of its own: only the whole counts meanwhile.
    const early = { data: { regulation: { id: "reg-1", overallStatus: "RUNNING", streamStatus: null } } };
    for (const reply of [{ status: 200, body: early }, regulation("RUNNING", { name: "Acme", status: "QUEUED" })])
      expect(ask(reply).outcome).toEqual([accepted("reg-1", DAY), accepted("reg-1", DAY)]);
  });

  it("count as done where only unsupported destinations are left, and Segment's own part is finished", () => {
    const own = { name: "Segment Archives", status: "FINISHED" };
    for (const status of ["FAILED", "PARTIAL_SUCCESS", "NOT_SUPPORTED"])
      expect(ask(regulation(status, own, { name: "Acme", status: "NOT_SUPPORTED" })).outcome).toEqual([erased, erased]);
  });

  it.each<[string, readonly Part[]]>([
    ["no parts", []],
    ["no part of Segment's own", [{ name: "Acme", status: "NOT_SUPPORTED" }]],
    ["its own part failed", [{ name: "Segment", status: "FAILED" }]],
    [
      "a supported destination failed",
      [
        { name: "Segment", status: "FINISHED" },
        { name: "Acme", status: "FAILED" },
      ],
    ],
    [
      "a part is at work",
      [
        { name: "Segment", status: "FINISHED" },
        { name: "Acme", status: "RUNNING" },
      ],
    ],
    ["a holder that is only called alike", [{ name: "Segmentify", status: "FINISHED" }]],
  ])("[I4] are for a person to look at when they failed with %s", (_, parts) => {
    for (const answer of ask(regulation("FAILED", ...parts)).outcome) {
      expect(answer).toMatchObject({ outcome: "unforeseen", what: expect.stringContaining("FAILED") });
      expect(answer).not.toHaveProperty("anew");
    }
  });

  it("[I4] are made anew by a retry when Segment does not list them any more, or calls them invalid", () => {
    for (const reply of [{ status: 404 }, regulation("INVALID")])
      expect(ask(reply).outcome).toMatchObject([
        { outcome: "unforeseen", anew: true },
        { outcome: "unforeseen", anew: true },
      ]);
  });

  it.each([
    ["201, which is not documented", { ...made, status: 201 }],
    ["no id", { status: 200, body: { data: {} } }],
    ["400", { status: 400 }],
    ["404", { status: 404 }],
  ])("[I4] are not made by %s", (_, reply) => {
    expect(play(run([order("u-1")], "batch"), [reply]).outcome).toMatchObject([{ outcome: "unforeseen" }]);
  });

  it("[I4] are not done by a status that is not documented", () => {
    expect(ask(regulation("DONE")).outcome).toMatchObject([{ outcome: "unforeseen" }, { outcome: "unforeseen" }]);
  });

  it("rest with a token that may not make them", () => {
    expect(play(run([order("u-1")], "batch"), [{ status: 403 }]).outcome).toMatchObject([{ outcome: "unauthorized" }]);
    expect(ask({ status: 403 }).outcome[0]).toMatchObject({ outcome: "unauthorized", status: 403 });
  });
});
