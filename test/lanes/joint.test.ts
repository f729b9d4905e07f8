import { describe, expect, it } from "vitest";
import { at, bearer, del, get } from "../../src/contract/call.ts";
import { erased, found, retained } from "../../src/contract/outcome.ts";
import { joint } from "../../src/lanes/joint.ts";
import { residuePlace } from "../../src/lanes/order.ts";
import { bench, DAY, email, idOf, NOW, single, summary, TIMED_OUT, taskOf } from "./samples.ts";

const done = { status: 204 };
const one = [email("ada")];
/** Two requests of one person, for the same thing. */
const both = { first: { identities: one }, second: { identities: one, receivedAt: "2026-11-20T10:00:00.000Z" } };

describe("joined orders", () => {
  it("[I3] are one call, and each ends as its own request's task", async () => {
    const at = await bench();
    const worked = await at.work(await at.party(both), [done]);
    expect(at.calls).toHaveLength(1);
    expect(summary(worked)).toEqual(["first end erased", "second end erased"]);
    expect(worked.settlements.map(({ task }) => task?.request)).toEqual([idOf("first"), idOf("second")]);
    expect(at.events).toEqual([`task_ended ${idOf("first")}`, `task_ended ${idOf("second")}`]);
  });

  it("[I7] give no digest of an answer that stands in two receipts, and one of what stands in one", async () => {
    const at = await bench();
    const worked = await at.work(await at.party(both), [done]);
    for (const settlement of worked.settlements)
      expect(taskOf(settlement)).toMatchObject({ evidence: [{ method: "DELETE", status: 204 }] });
    expect(JSON.stringify(worked.settlements.map(taskOf))).not.toContain("digest");
    const alone = await at.work([await at.order("alone")], [done]);
    expect(JSON.stringify(alone.settlements.map(taskOf))).toContain("digest");
  });

  it("go on together, with the key of the one that was received first, whichever was claimed first", async () => {
    const at = await bench();
    const orders = await at.party(both);
    const lost = await at.work(orders.toReversed(), [TIMED_OUT]);
    expect(summary(lost)).toEqual(["first back queued", "second back queued"]);
    expect(new Set(lost.settlements.map((each) => "due" in each && each.due)).size, "due at the same time").toBe(1);
    const worked = await at.work(
      orders.map((each) => at.again(each, lost)),
      [done],
    );
    expect(summary(worked)).toEqual(["first end erased", "second end erased"]);
    expect(at.idempotencyKeys()).toEqual(Array(2).fill(`${idOf("first")}/acme.erase/delete/0`));
  });

  it.each([
    ["name the person otherwise", { identities: [email("ada"), email("lovelace")] }, 3],
    [
      "keep something else",
      { identities: one, keeps: { invoices: { until: "2030-01-01T00:00:00.000Z", ground: "law" } } },
      2,
    ],
    ["end another grant", { identities: one, scope: "facebook" }, 2],
  ])("are worked apart where they %s", async (_, second, calls) => {
    const at = await bench();
    const worked = await at.work(await at.party({ ...both, second }), Array(calls).fill(done));
    expect(at.calls).toHaveLength(calls);
    expect(summary(worked)).toEqual(["first end erased", "second end erased"]);
  });

  it("are worked apart where one has come further, and together where the same identities are listed otherwise", async () => {
    const at = await bench();
    const names = [email("ada"), email("lovelace")];
    const orders = await at.party({ first: { identities: names }, second: { identities: names.toReversed() } });
    const worked = await at.work(orders, [done, TIMED_OUT]);
    expect(at.calls).toHaveLength(2);
    const [first, second] = orders;
    if (first === undefined || second === undefined) throw new Error("two orders");
    await at.work([at.again(first, worked), second], [done, done, done]);
    expect(at.calls, "one call of the first, two of the second").toHaveLength(5);
  });

  it("are told apart to an own system, which answers for each request", async () => {
    const at = await bench({ erase: single({ each: "person" }) });
    await at.work(await at.party(both), [done, done]);
    expect(at.idempotencyKeys()).toEqual(["first", "second"].map((name) => `${idOf(name)}/acme.erase/delete/0`));
  });

  it("[I10] that are worked apart stop when the holder asks for rest or hangs", async () => {
    const erase = single({ each: "person" });
    const at = await bench({ erase });
    const party = { ...both, third: { identities: one } };
    const throttled = await at.work(await at.party(party), [{ status: 429 }]);
    expect(summary(throttled)).toEqual(["first back queued", "second untouched", "third untouched"]);
    const hung = await at.work(await at.party(party), [TIMED_OUT, TIMED_OUT]);
    expect(hung.timeouts).toBe(2);
    expect(summary(hung).filter((each) => each.endsWith("untouched"))).toHaveLength(1);
  });

  it("[I9] keep what the policy keeps until each one's own day, and owe it each", async () => {
    const until = ["2036-11-20T00:00:00.000Z", "2036-11-21T00:00:00.000Z"] as const;
    const keeps = (day: string) => ({ invoices: { until: day, ground: "legal_obligation: law" } });
    const erase = single({
      *run({ identity }) {
        yield get(at`https://api.acme.example/contacts`, bearer("key"));
        return retained("invoices", [identity]);
      },
    });
    const stand = await bench({ erase });
    const orders = await stand.party({
      first: { ...both.first, keeps: keeps(until[0]) },
      second: { ...both.second, keeps: keeps(until[1]) },
    });
    const worked = await stand.work(orders, [{ status: 200 }]);
    expect(stand.calls).toHaveLength(1);
    for (const [index, settlement] of worked.settlements.entries()) {
      const task = taskOf(settlement);
      const day = until[index];
      expect(task).toMatchObject({ outcome: "retained", retained: [{ category: "invoices", until: day }] });
      if (task.state !== "ended" || task.residue === undefined) throw new Error("it owes nothing");
      expect(task.residue.dueAt).toBe(day);
      const order = orders[index];
      const key = order && (await stand.keyOf(order));
      const request = settlement.task?.request;
      if (request === undefined) throw new Error("it has no request");
      expect(await key?.open(residuePlace(request, "acme.erase"), task.residue.sealed)).toBe(JSON.stringify(one));
    }
  });

  it("go on together when a part of what they name is kept until unlike days", async () => {
    const keeps = (until: string) => ({ invoices: { until, ground: "law" } });
    const erase = single({
      *run({ identity }) {
        const { status } = yield del(
          at`https://api.acme.example/contacts/${{ contact: identity.value }}`,
          bearer("key"),
        );
        return status === 423 ? retained("invoices", []) : erased;
      },
    });
    const stand = await bench({ erase });
    const identities = [email("ada"), email("lovelace")];
    const orders = await stand.party({
      first: { identities, keeps: keeps("2036-11-20T00:00:00.000Z") },
      second: { identities, keeps: keeps("2036-11-21T00:00:00.000Z") },
    });
    const half = await stand.work(orders, [{ status: 423 }, TIMED_OUT]);
    expect(summary(half)).toEqual(["first back queued", "second back queued"]);
    const worked = await stand.work(
      orders.map((each) => stand.again(each, half)),
      [done],
    );
    expect(stand.calls).toHaveLength(3);
    expect(worked.settlements.map(taskOf).map((task) => "retained" in task && task.retained?.[0]?.until)).toEqual([
      "2036-11-20T00:00:00.000Z",
      "2036-11-21T00:00:00.000Z",
    ]);
  });

  it("[I3] make what was learned known, and seal it for each request", async () => {
    const erase = single({
      *run({ identity }) {
        yield get(at`https://api.acme.example/search`, bearer("key"));
        return identity.type === "email" ? found([{ type: "acme.contact", value: "c1" }]) : erased;
      },
    });
    const stand = await bench({ erase });
    const orders = await stand.party(both);
    const worked = await stand.work(orders, [{ status: 200 }]);
    expect(stand.suppressed).toEqual(["first", "second"].map((name) => `acted ${idOf(name)} acme`));
    for (const [index, order] of orders.entries())
      expect((await stand.cursorOf(order, worked.settlements[index])).learned).toEqual([
        { type: "acme.contact", value: "c1" },
      ]);
  });

  it("[I2] are not held up by one that cannot be opened, is held or cannot be settled", async () => {
    const hold = { id: "h1", subject: "held", reason: "court", reviewAt: "", placedAt: "", placedBy: "" };
    const stand = await bench({ holds: [hold] });
    const [first, second, third] = await stand.party({
      ...both,
      second: { ...both.second, subject: "held" },
      third: { identities: one },
    });
    if (first === undefined || second === undefined || third === undefined) throw new Error("three orders");
    const damaged = { ...third, payload: "{" };
    const worked = await stand.work([first, second, damaged], [done]);
    expect(summary(worked)).toEqual(["first end erased", "second back stuck", "third untouched"]);
    expect(stand.events).toContain(`step_failed ${third.id}`);
    expect(worked.settlements.find(({ id }) => id === second.id)).toMatchObject({ due: NOW + DAY });
  });
});

it("orders that stand alone are groups of one, in the order of the claim", async () => {
  const stand = await bench();
  const [a, b] = await stand.party({ aa: {}, bb: {} });
  const alone = await stand.order("cc");
  if (a === undefined || b === undefined) throw new Error("two orders");
  expect(joint([a, alone, b]).map((group) => group.map(({ id }) => id))).toEqual([[a.id, b.id], [alone.id]]);
});
