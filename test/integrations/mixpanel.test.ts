import { describe, expect, it } from "vitest";
import { mixpanel } from "../../integrations/mixpanel.ts";
import type { Call } from "../../src/contract/call.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { accepted, erased } from "../../src/contract/outcome.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = mixpanel.actions;
if (isAbsent(erase) || !isBulk(erase)) throw new Error("Mixpanel has an erasure for many");
const { bulk } = erase;
const { check } = bulk;
if (check === undefined) throw new Error("Mixpanel's jobs can be asked about");

const DAY = 86_400;
const settings = { projectToken: "591b3354bb2bdd96f72f23bf56911673", oauthToken: "oauth-1", residency: "US" };
const order = (value: string, more: Parameters<typeof orderFor>[2] = {}, residency = "US") =>
  orderFor({ ...settings, residency }, { type: "mixpanel.distinct_id", value }, more);

const created = (results: unknown, status = "ok"): Played => ({ status: 201, body: { status, results } });
const job = (status: string, more: object = {}): Played => ({
  status: 200,
  body: { status: "ok", results: { status, distinct_ids: [], ...more } },
});
const refused = (status: number): Played => ({ status, body: { status: "error", error: "no" } });
const conflict = (ids: readonly string[], jobs: readonly string[]): Played => ({
  status: 409,
  body: { status: "error", error: { conflicting_distinct_ids: ids, conflicting_task_ids: jobs, error: "in progress" } },
});
const begin = (ids: readonly string[], replies: readonly Played[]) =>
  play(
    bulk.run(
      ids.map((id) => order(id)),
      "batch_1",
    ),
    replies,
  );
const ask = (reply: Played, more: Parameters<typeof orderFor>[2] = {}) =>
  play(check("job-1", [order("u-1", more)]), [reply]).outcome[0];
const named = ({ body = "" }: Call): unknown => JSON.parse(body).distinct_ids;

describe("beginning a deletion at Mixpanel", () => {
  it("asks once for all, under the project's token, as GDPR", () => {
    const { calls, outcome } = begin(["u-1", "$device:d-1"], [created({ task_id: "job-1" })]);
    expect(outcome).toEqual([accepted("job-1", DAY), accepted("job-1", DAY)]);
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      method: "POST",
      at: { url: `https://mixpanel.com/api/app/data-deletions/v3.0/?token=${settings.projectToken}` },
      headers: { authorization: "Bearer oauth-1", "content-type": "application/json" },
    });
    expect(JSON.parse(calls[0]?.body ?? "")).toEqual({ distinct_ids: ["u-1", "$device:d-1"], compliance_type: "GDPR" });
  });

  it.each([
    ["US", "mixpanel.com"],
    ["EU", "eu.mixpanel.com"],
    ["IN", "in.mixpanel.com"],
  ])("goes to the project's own region, %s", (residency, host) => {
    const here = [order("u-1", {}, residency)];
    for (const [steps, reply] of [
      [bulk.run(here, "batch_1"), created({ task_id: "job-1" })],
      [check("job-1", here), job("STARTED")],
    ] as const)
      expect(new URL(play(steps, [reply]).calls[0]?.at.url ?? "").host).toBe(host);
  });

  it("[I7] shows neither project token nor job in the address of the evidence", () => {
    const [call] = play(check("job-1", [order("u-1")]), [job("STARTED")]).calls;
    expect(call?.at.url).toContain(`/job-1?token=${settings.projectToken}`);
    expect(call?.at.template).not.toMatch(/591b|job-1/);
  });

  it.each([[{ task_id: "job-1" }], [{ tracking_id: "job-1", status: "PENDING" }], [[{ tracking_id: "job-1" }]]])(
    "reads the job's id from each shape that is documented or seen: %j",
    (results) => {
      expect(begin(["u-1"], [created(results)]).outcome).toEqual([accepted("job-1", DAY)]);
    },
  );

  it.each([
    ["a refusal in the body", created({ task_id: "job-1" }, "error")],
    ["no id", created({})],
    // Beyond what a number can hold, so it would be another job's.
    ["a number for an id", created({ task_id: 1_583_958_896_131_033 })],
    ["several jobs", created([{ tracking_id: "job-1" }, { tracking_id: "job-2" }])],
    ["200, which is not documented", { status: 200, body: { status: "ok", results: { task_id: "job-1" } } }],
    ["400", refused(400)],
  ])("[I4] takes %s for no job", (_, reply) => {
    expect(begin(["u-1"], [reply]).outcome).toMatchObject([{ outcome: "unforeseen" }]);
  });

  it("takes 403 for a refused token, for all", () => {
    expect(begin(["u-1", "u-2"], [refused(403)]).outcome).toMatchObject([
      { outcome: "unauthorized", status: 403 },
      { outcome: "unauthorized", status: 403 },
    ]);
  });

  it("takes no more ids in one call than the guide allows for deletions", () => {
    expect(bulk.most).toBe(1999);
  });
});

describe("ids that have a job at Mixpanel already", () => {
  it("wait for it, when an answer was lost and the same is asked again", () => {
    const { calls, outcome } = begin(
      ["u-1", "u-2"],
      [conflict(["u-1", "u-2"], ["job-0"]), job("PENDING", { distinct_ids: ["u-1", "u-2"] })],
    );
    expect(outcome).toEqual([accepted("job-0", DAY), accepted("job-0", DAY)]);
    expect(calls.map(({ method }) => method)).toEqual(["POST", "GET"]);
  });

  it("wait each for its own, while the rest gets a new one", () => {
    const { calls, outcome } = begin(
      ["u-1", "u-2", "u-3"],
      [
        conflict(["u-1", "u-3"], ["job-a", "job-c"]),
        job("STARTED", { distinct_ids: ["u-1", "else"] }),
        job("PENDING", { distinct_ids: ["u-3"] }),
        created({ task_id: "job-b" }),
      ],
    );
    expect(outcome).toEqual([accepted("job-a", DAY), accepted("job-b", DAY), accepted("job-c", DAY)]);
    expect(named(calls[3] as Call)).toEqual(["u-2"]);
  });

  it("leave the rest for a little later when somebody else is quicker", () => {
    const { outcome } = begin(
      ["u-1", "u-2"],
      [conflict(["u-1"], ["job-a"]), job("STARTED", { distinct_ids: ["u-1"] }), conflict(["u-2"], ["job-b"])],
    );
    expect(outcome).toEqual([accepted("job-a", DAY), { outcome: "slow_down", seconds: 60 }]);
  });

  it.each([
    ["a body that names none", [refused(409)]],
    ["no ids", [conflict([], [])]],
    ["a job that does not name the id", [conflict(["u-1"], ["job-0"]), job("STARTED", { distinct_ids: ["u-2"] })]],
    ["a job that cannot be read", [conflict(["u-1"], ["job-0"]), refused(404)]],
    [
      "[I10] more jobs than one attempt may ask about",
      [
        conflict(
          ["u-1"],
          Array.from({ length: 21 }, (_, index) => `job-${index}`),
        ),
      ],
    ],
  ])("are stuck, visibly, with %s", (_, replies) => {
    expect(begin(["u-1"], replies).outcome).toMatchObject([{ outcome: "unforeseen" }]);
  });

  it("stop the lane when the job may not be read", () => {
    expect(begin(["u-1"], [conflict(["u-1"], ["job-0"]), refused(403)]).outcome).toMatchObject([
      { outcome: "unauthorized" },
    ]);
  });
});

describe("asking about a job at Mixpanel", () => {
  it.each(["PENDING", "STAGING", "STARTED"])("asks again a day later while it is %s", (status) => {
    expect(ask(job(status))).toEqual(accepted("job-1", DAY));
  });

  it("asks once for all who wait for it", () => {
    const { calls, outcome } = play(check("job-1", [order("u-1"), order("u-2")]), [job("SUCCESS")]);
    expect(calls).toHaveLength(1);
    expect(outcome).toEqual([erased, erased]);
  });

  it.each(["FAILURE", "REVOKED", "NOT_FOUND"])(
    "[I4] is stuck with a job that is %s, and a retry makes a new one",
    (status) => {
      expect(ask(job(status))).toMatchObject({
        outcome: "unforeseen",
        anew: true,
        what: expect.stringContaining("job"),
      });
    },
  );

  it("[I4] is stuck when the job cannot be located, and a retry asks again", () => {
    expect(ask(job("UNKNOWN"))).toMatchObject({ outcome: "unforeseen" });
    expect(ask(job("UNKNOWN"))).not.toHaveProperty("anew");
  });

  it.each([
    ["a status that is not documented", job("DONE")],
    ["a refusal in the body", { status: 200, body: { status: "error", results: { status: "SUCCESS" } } }],
    ["a status outside its place", { status: 200, body: { status: "SUCCESS" } }],
    ["404, which is not documented", refused(404)],
  ])("[I4] takes %s for no end", (_, reply) => {
    expect(ask(reply)).toMatchObject({ outcome: "unforeseen" });
  });

  it("takes 403 for a refused token", () => {
    expect(ask(refused(403))).toMatchObject({ outcome: "unauthorized", status: 403 });
  });

  it("[I4] begins a new job when the one that ended was asked for before the request", () => {
    const requestedAt = "2026-11-20T09:00:00.000Z";
    const at = (date_requested: string) => ask(job("SUCCESS", { date_requested }), { requestedAt });
    expect(at("2026-11-20T08:00:00.078315")).toEqual({ outcome: "more" });
    expect(at("2026-11-20T09:00:01.078315")).toEqual(erased);
    expect(at("2026-11-20T08:59:00.078315"), "clocks differ").toEqual(erased);
    expect(at("2026-11-20T10:00:00+02:00")).toEqual({ outcome: "more" });
    expect(at("11-20-2026 at nine"), "a time that cannot be read is no objection").toEqual(erased);
  });
});

it("takes the three regions and no other, and asks for all its settings", () => {
  const schema = settingsSchema(mixpanel.settings);
  for (const residency of ["US", "EU", "IN"]) expect(schema.safeParse({ ...settings, residency }).success).toBe(true);
  for (const residency of ["", "us", "DE", "USA"])
    expect(schema.safeParse({ ...settings, residency }).success).toBe(false);
  expect(schema.safeParse({ projectToken: settings.projectToken, oauthToken: "oauth-1" }).success).toBe(false);
});

it("says when the token has to be renewed", () => {
  expect(mixpanel.settings.oauthToken?.label).toContain("one year");
});
