import { describe, expect, it } from "vitest";
import { braze } from "../../integrations/braze.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { accepted, erased, notFound } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = braze.actions;
if (isAbsent(erase) || !isBulk(erase) || erase.bulk.check === undefined) throw new Error("Braze has an erasure");
const { run, check, most } = erase.bulk;

const settings = { apiKey: "key-1", instance: "iad-03" };
const order = (type: string, value: string, instance = "iad-03") =>
  orderFor({ ...settings, instance }, { type, value });
const own = (value: string) => order("braze.braze_id", value);
const exported = (...users: readonly (readonly [string, string?])[]): Played => ({
  status: 201,
  body: { message: "success", users: users.map(([braze_id, external_id]) => ({ braze_id, external_id })) },
});
const queued = (deleted: number): Played => ({ status: 201, body: { deleted, message: "success" } });
const isFound = (...ids: readonly string[]) => ({
  outcome: "found",
  identities: ids.map((value) => ({ type: "braze.braze_id", value })),
});
const bodies = (calls: readonly { readonly body?: string }[]): unknown[] =>
  calls.map(({ body = "" }) => JSON.parse(body));

describe("finding profiles at Braze", () => {
  it("asks for all of the tenant's ids at once, and keeps apart whose is whose", () => {
    const { calls, outcome } = play(
      run([order("braze.external_id", "u-1"), order("braze.external_id", "u-2")], "batch"),
      [exported(["b-2", "u-2"])],
    );
    expect(outcome).toEqual([notFound, isFound("b-2")]);
    expect(calls[0]).toMatchObject({
      method: "POST",
      at: { url: "https://rest.iad-03.braze.com/users/export/ids" },
      headers: { authorization: "Bearer key-1" },
    });
    expect(bodies(calls)).toEqual([{ external_ids: ["u-1", "u-2"], fields_to_export: ["braze_id", "external_id"] }]);
  });

  it("finds every profile of an address or a number, one question each", () => {
    const { calls, outcome } = play(run([order("email", "ada@example.com"), order("phone", "+15550100")], "batch"), [
      exported(["b-1", "u-1"], ["b-9"]),
      exported(),
    ]);
    expect(outcome).toEqual([isFound("b-1", "b-9"), notFound]);
    expect(bodies(calls)).toMatchObject([{ email_address: "ada@example.com" }, { phone: "+15550100" }]);
  });

  it("goes to the instance's own domain", () => {
    const host = (instance: string) =>
      new URL(play(run([order("email", "ada@example.com", instance)], "b"), [exported()]).calls[0]?.at.url ?? "").host;
    expect(host("fra-01")).toBe("rest.fra-01.braze.eu");
    expect(host("us-10")).toBe("rest.us-10.braze.com");
  });
});

describe("deleting profiles at Braze", () => {
  it("reads each first, and queues those who are there in one call", () => {
    const { calls, outcome } = play(run([own("b-1"), own("b-2"), own("b-3")], "batch"), [
      exported(["b-1"]),
      exported(),
      exported(["b-3"]),
      queued(2),
    ]);
    expect(outcome).toEqual([accepted("b-1", 900), notFound, accepted("b-3", 900)]);
    expect(calls[3]?.at.url).toBe("https://rest.iad-03.braze.com/users/delete");
    expect(JSON.parse(calls[3]?.body ?? "")).toEqual({ braze_ids: ["b-1", "b-3"] });
    expect(most).toBe(50);
  });

  it("makes no deletion when nobody is there", () => {
    expect(play(run([own("b-1")], "batch"), [exported()]).outcome).toEqual([notFound]);
  });

  it("gives each its own answer where a part fails", () => {
    const { outcome } = play(run([order("email", "ada@example.com"), own("b-1"), own("b-2")], "batch"), [
      exported(["b-1"]),
      { status: 400, body: { message: "Invalid parameters" } },
      exported(["b-2"]),
      queued(1),
    ]);
    expect(outcome).toMatchObject([isFound("b-1"), { outcome: "unforeseen", status: 400 }, accepted("b-2", 900)]);
  });

  it.each([
    ["another message", { status: 201, body: { deleted: 1, message: "queued with errors" } }],
    ["no count", { status: 201, body: { message: "success" } }],
    ["202, which is not documented", { ...queued(1), status: 202 }],
    ["404, which is not documented", { status: 404 }],
  ])("[I4] takes %s for no deletion", (_, reply) => {
    expect(play(run([own("b-1")], "batch"), [exported(["b-1"]), reply]).outcome).toMatchObject([
      { outcome: "unforeseen" },
    ]);
  });

  it("is done when the profile cannot be found any more, which is asked once for all who wait for it", () => {
    const ask = (reply: Played) => play(check("b-1", [own("b-1"), own("b-1")]), [reply]);
    expect(ask(exported(["b-1"])).outcome).toEqual([accepted("b-1", 900), accepted("b-1", 900)]);
    const { calls, outcome } = ask(exported());
    expect(outcome).toEqual([erased, erased]);
    expect(bodies(calls)).toMatchObject([{ braze_id: "b-1" }]);
    expect(ask({ status: 404 }).outcome).toMatchObject([{ outcome: "unforeseen" }, { outcome: "unforeseen" }]);
  });
});
