import { describe, expect, it } from "vitest";
import { posthog } from "../../integrations/posthog.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { accepted, erased, notFound } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = posthog.actions;
if (isAbsent(erase) || !isBulk(erase)) throw new Error("PostHog has an erasure for many");
const { bulk } = erase;
const { check } = bulk;
if (check === undefined) throw new Error("PostHog's deletions can be asked about");

const DAY = 86_400;
const ONE = "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b";
const TWO = "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6c";
const settings = { projectId: "12345", apiKey: "phx_test", residency: "US" };
const order = (type: string, value: string, residency = "US") => orderFor({ ...settings, residency }, { type, value });
const person = (uuid: string) => order("posthog.person", uuid);
const persons = (...uuids: readonly string[]): Played => ({
  status: 200,
  body: { next: null, results: uuids.map((uuid) => ({ uuid })) },
});
const queued = (more: object = {}): Played => ({
  status: 202,
  body: {
    persons_found: 1,
    persons_deleted: 0,
    persons_queued_for_deletion: 1,
    events_queued_for_deletion: true,
    deletion_errors: [],
    ...more,
  },
});
const row = (status: string, more: object = {}) => ({
  person_uuid: ONE,
  created_at: "2026-11-20T10:00:00Z",
  status,
  delete_verified_at: status === "completed" ? "2026-11-22T03:00:00Z" : null,
  ...more,
});
const rows = (...results: readonly object[]): Played => ({ status: 200, body: { results } });
const begin = (orders: readonly ReturnType<typeof order>[], ...replies: readonly Played[]) =>
  play(bulk.run(orders, "batch_1"), replies);
const askAs = (reference: string, ...replies: readonly Played[]) =>
  play(check(reference, [person(ONE)]), replies).outcome[0];
const ask = (...replies: readonly Played[]) => askAs(`asked:${ONE}`, ...replies);

describe("finding persons at PostHog", () => {
  it("makes them known before anything is changed, because nobody finds them afterwards", () => {
    const { calls, outcome } = begin(
      [order("posthog.distinct_id", "u/1"), order("email", "ada@example.com"), order("posthog.distinct_id", "u-9")],
      persons(ONE),
      persons(ONE, TWO),
      persons(),
    );
    expect(calls.map(({ method, at }) => `${method} ${at.url}`)).toEqual([
      "GET https://us.posthog.com/api/projects/12345/persons/?distinct_id=u%2F1",
      "GET https://us.posthog.com/api/projects/12345/persons/?email=ada%40example.com",
      "GET https://us.posthog.com/api/projects/12345/persons/?distinct_id=u-9",
    ]);
    expect(outcome).toEqual([
      { outcome: "found", identities: [{ type: "posthog.person", value: ONE }] },
      { outcome: "found", identities: [ONE, TWO].map((value) => ({ type: "posthog.person", value })) },
      notFound,
    ]);
    for (const { at } of calls) expect(at.template).not.toMatch(/ada|u-9|12345/);
  });

  it("[I4] finds nothing in a refusal, a second page, or another shape", () => {
    const next = { status: 200, body: { next: "https://us.posthog.com/next", results: [{ uuid: ONE }] } };
    for (const reply of [{ status: 404, body: {} }, next, { status: 200, body: {} }])
      expect(begin([order("email", "ada@example.com")], reply).outcome).toMatchObject([{ outcome: "unforeseen" }]);
  });
});

describe("deleting persons at PostHog", () => {
  it("asks once for all, with their events and recordings, in the project's own region", () => {
    const { calls, outcome } = begin(
      [order("posthog.person", ONE, "EU"), order("posthog.person", TWO, "EU")],
      queued({ persons_found: 2 }),
    );
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      method: "POST",
      at: { url: "https://eu.posthog.com/api/projects/12345/persons/bulk_delete/" },
      headers: { authorization: "Bearer phx_test" },
    });
    expect(JSON.parse(calls[0]?.body ?? "")).toEqual({
      ids: [ONE, TWO],
      delete_events: true,
      delete_recordings: true,
      keep_person: false,
    });
    expect(outcome).toEqual([accepted(`deleted:${ONE}`, DAY), accepted(`deleted:${TWO}`, DAY)]);
  });

  it("answers each of a mixed batch in its place", () => {
    const { outcome } = begin(
      [person("no-uuid"), order("posthog.distinct_id", "u-1"), person(ONE)],
      persons(TWO),
      queued({ events_queued_for_deletion: 1 }),
    );
    expect(outcome).toMatchObject([
      { outcome: "unforeseen", status: 0 },
      { outcome: "found" },
      accepted(`deleted:${ONE}`, DAY),
    ]);
  });

  it("asks also about whom it did not find, since an answer may have been lost", () => {
    const none = queued({ persons_found: 0, persons_queued_for_deletion: 0, events_queued_for_deletion: false });
    expect(begin([person(ONE)], none).outcome).toEqual([accepted(`asked:${ONE}`, DAY)]);
  });

  it.each([
    ["errors in a success", queued({ deletion_errors: [{ step: "delete_clickhouse" }] })],
    ["persons without their events", queued({ events_queued_for_deletion: false })],
    ["none of the events", queued({ events_queued_for_deletion: 0 })],
    ["200, which is not described", { status: 200, body: {} }],
    ["no counts", { status: 202, body: {} }],
    ["400", { status: 400, body: {} }],
  ])("[I4] takes %s for nothing", (_, reply) => {
    expect(begin([person(ONE)], reply).outcome).toMatchObject([{ outcome: "unforeseen" }]);
  });

  it("takes 403 for a refused key", () => {
    expect(begin([person(ONE)], { status: 403 }).outcome).toMatchObject([{ outcome: "unauthorized" }]);
    expect(ask({ status: 403 })).toMatchObject({ outcome: "unauthorized" });
  });
});

describe("asking how a deletion stands at PostHog", () => {
  it("waits until it is verified, and only then says erased", () => {
    expect(ask(rows(row("pending")))).toEqual(accepted(`asked:${ONE}`, DAY));
    expect(ask(rows(row("completed", { delete_verified_at: null })))).toEqual(accepted(`asked:${ONE}`, DAY));
    expect(ask(rows(row("completed"), row("pending")))).toEqual(accepted(`asked:${ONE}`, DAY));
    expect(ask(rows(row("completed")))).toEqual(erased);
  });

  it("asks by the person, under the last slash that its router needs", () => {
    const { calls } = play(check(`deleted:${ONE}`, [person(ONE), person(ONE)]), [rows(row("completed"))]);
    expect(calls.map(({ at }) => at.url)).toEqual([
      `https://us.posthog.com/api/projects/12345/persons/deletion_status/?status=all&person_uuid=${ONE}`,
    ]);
    expect(calls[0]?.at.template).not.toContain(ONE);
  });

  it("[I4] takes no other person's row, and none from before the request, for an end", () => {
    for (const other of [
      row("completed", { person_uuid: TWO }),
      row("completed", { created_at: "2026-11-20T08:00:00Z" }),
      row("completed", { created_at: "lately" }),
    ])
      expect(ask(rows(other), { status: 200, body: { uuid: ONE } })).toMatchObject({
        outcome: "unforeseen",
        anew: true,
      });
  });

  it("says not found only when nothing is recorded and nobody is there", () => {
    expect(ask(rows(), { status: 404, body: {} })).toEqual(notFound);
    expect(ask(rows(), { status: 200, body: {} })).toMatchObject({ outcome: "unforeseen" });
    expect(ask(rows(), { status: 410 })).toMatchObject({ outcome: "unforeseen" });
    expect(ask({ status: 404, body: {} })).toMatchObject({ outcome: "unforeseen" });
  });

  it("[I4] does not say not found of whom it deleted and PostHog does not list", () => {
    expect(askAs(`deleted:${ONE}`, rows(), { status: 404, body: {} })).toMatchObject({ outcome: "unforeseen" });
  });
});
