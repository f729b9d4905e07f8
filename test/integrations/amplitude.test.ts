import { describe, expect, it } from "vitest";
import { amplitude } from "../../integrations/amplitude.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { accepted, erased, notFound } from "../../src/contract/outcome.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = amplitude.actions;
if (isAbsent(erase) || !isBulk(erase)) throw new Error("Amplitude has an erasure for many");
const { bulk } = erase;
const { check } = bulk;
if (check === undefined) throw new Error("Amplitude's jobs can be asked about");

const TODAY = "2026-11-21";
const soon = accepted(TODAY, 86_400);
const settings = { apiKey: "0123456789abcdef", secretKey: "s3cret", residency: "US" };
const order = (value: string, type = "user_id", residency = "US") =>
  orderFor({ ...settings, residency }, { type: `amplitude.${type}`, value });
const entry = (user_id: string | number | undefined, amplitude_id = 1, requested_on_day = TODAY) => ({
  amplitude_id,
  ...(user_id !== undefined && { user_id }),
  requested_on_day,
  requester: "quittance",
});
const job = (status: string, entries: readonly object[], day = "2026-12-02") => ({
  day,
  status,
  amplitude_ids: entries,
});
const ok = (body: unknown): Played => ({ status: 200, body });
const begin = (orders: readonly ReturnType<typeof order>[], ...replies: readonly Played[]) =>
  play(bulk.run(orders, "batch_1"), replies);
const ask = (reply: Played, ...orders: readonly ReturnType<typeof order>[]) =>
  play(check(TODAY, orders), [reply]).outcome;

describe("asking Amplitude for deletions", () => {
  it("asks once for all, ids of either kind, in the words of the documents' samples", () => {
    const { calls, outcome } = begin(
      [order("u-1"), order("356896327775", "amplitude_id")],
      ok(job("staging", [entry("u-1"), entry("u-2", 356_896_327_775)])),
    );
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      method: "POST",
      at: { url: "https://amplitude.com/api/2/deletions/users" },
      headers: { authorization: `Basic ${btoa("0123456789abcdef:s3cret")}`, "content-type": "application/json" },
    });
    expect(JSON.parse(calls[0]?.body ?? "")).toEqual({
      user_ids: ["u-1"],
      amplitude_ids: [356_896_327_775],
      requester: "quittance",
      ignore_invalid_id: "true",
      include_mapped_user_ids: "true",
      delete_from_org: "false",
    });
    expect(outcome).toEqual([soon, soon]);
    expect(bulk.most).toBe(100);
  });

  it("goes to the project's own region, and shows no day in the address of the evidence", () => {
    const here = order("u-1", "user_id", "EU");
    expect(begin([here], ok(job("staging", [entry("u-1")]))).calls[0]?.at.url).toBe(
      "https://analytics.eu.amplitude.com/api/2/deletions/users",
    );
    const { calls } = play(check(TODAY, [here]), [ok([])]);
    expect(calls[0]?.at.url).toBe(
      "https://analytics.eu.amplitude.com/api/2/deletions/users?start_day=2026-11-21&end_day=2027-01-20",
    );
    expect(calls[0]?.at.template).not.toContain("2026");
  });

  it("reads one job or a list, and user ids that come as numbers", () => {
    for (const body of [job("staging", [entry(1000)]), [job("staging", [entry(1000)])]])
      expect(begin([order("1000")], ok(body)).outcome).toEqual([soon]);
  });

  it("finds who is in a job already, even one that was asked for before the request", () => {
    const earlier = ok([job("submitted", [entry("u-1", 1, "2026-11-01")], "2026-11-22")]);
    expect(begin([order("u-1"), order("u-2")], ok([]), earlier).outcome).toEqual([soon, notFound]);
  });

  it("[I4] does not take a job that ran before the request for one that deletes", () => {
    const ran = ok([job("done", [entry("u-1", 1, "2026-11-01")], "2026-11-20")]);
    expect(begin([order("u-1")], ok([]), ran).outcome).toEqual([notFound]);
    expect(ask(ran, order("u-1"))).toMatchObject([{ outcome: "unforeseen", anew: true }]);
  });

  it("[I4] does not say not found while the answer does not say whose its Amplitude ids are", () => {
    const silent = ok(job("staging", [entry(undefined, 7)]));
    expect(begin([order("u-1")], silent, ok([])).outcome).toMatchObject([{ outcome: "unforeseen" }]);
    expect(begin([order("7", "amplitude_id")], silent).outcome).toEqual([soon]);
  });

  it.each(["u-1", "0", "-1", "1.5", "99999999999999999999", ""])(
    "[I4] asks for nothing with %j for an Amplitude id, and leaves the others alone",
    (value) => {
      expect(begin([order(value, "amplitude_id")]).outcome).toMatchObject([{ outcome: "unforeseen", status: 0 }]);
      const mixed = begin([order(value, "amplitude_id"), order("u-1")], ok(job("staging", [entry("u-1")])));
      expect(mixed.outcome).toMatchObject([{ outcome: "unforeseen" }, soon]);
    },
  );

  it.each([
    ["400", { status: 400, body: { error: "no" } }],
    ["200 in another shape", ok({ ok: true })],
    ["a state that is not documented", ok(job("deleted", [entry("u-1")]))],
    ["202", { status: 202, body: [] }],
  ])("[I4] takes %s for no job", (_, reply) => {
    expect(begin([order("u-1")], reply).outcome).toMatchObject([{ outcome: "unforeseen" }]);
  });

  it("takes 403 for refused keys, for all", () => {
    expect(begin([order("u-1"), order("u-2")], { status: 403 }).outcome).toMatchObject([
      { outcome: "unauthorized" },
      { outcome: "unauthorized" },
    ]);
  });
});

describe("asking about jobs at Amplitude", () => {
  it("waits while any of a user's jobs has not ended, and asks once for all", () => {
    const jobs = ok([job("done", [entry("u-1", 1)]), job("staging", [entry("u-1", 2), entry("u-2", 3)], "2026-12-20")]);
    expect(ask(jobs, order("u-1"), order("u-2"), order("1", "amplitude_id"))).toEqual([soon, soon, erased]);
  });

  it("says erased when all have ended", () => {
    expect(ask(ok([job("done", [entry("u-1", 1), entry("u-1", 2)])]), order("u-1"))).toEqual([erased]);
  });

  it("[I4] is stuck when the user was taken out, and a retry asks again", () => {
    expect(ask(ok([]), order("u-1"))).toMatchObject([{ outcome: "unforeseen", anew: true }]);
  });

  it("[I4] takes a refusal for no end", () => {
    expect(ask({ status: 400, body: {} }, order("u-1"))).toMatchObject([{ outcome: "unforeseen", status: 400 }]);
    expect(ask({ status: 403 }, order("u-1"))).toMatchObject([{ outcome: "unauthorized" }]);
  });
});

it("takes the two regions and no other", () => {
  const schema = settingsSchema(amplitude.settings);
  for (const residency of ["US", "EU"]) expect(schema.safeParse({ ...settings, residency }).success).toBe(true);
  for (const residency of ["", "us", "IN"]) expect(schema.safeParse({ ...settings, residency }).success).toBe(false);
});
