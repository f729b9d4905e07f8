import { describe, expect, it } from "vitest";
import { at as address, bearer, get, postJson } from "../../src/contract/call.ts";
import type { Order, Steps } from "../../src/contract/integration.ts";
import { accepted, erased, found, type Sight } from "../../src/contract/outcome.ts";
import { STUCK_AFTER } from "../../src/lanes/lane.ts";
import type { Claimed } from "../../src/platform/store/lanes.ts";
import { type Answered, bench, bulk, DAY, email, NOW, single, summary, TIMED_OUT, taskOf } from "./samples.ts";

const DROPPED: Answered = { problem: { reason: "connection_failed" } };
const statuses = (...body: readonly number[]): Answered => ({ status: 200, body });
const addresses = (...names: readonly string[]) => names.map((name) => email(name).value);

/** A lane whose vendor takes three identities a call, and orders of so many people. */
async function lane(names: readonly string[], setup: Parameters<typeof bench>[0] = {}) {
  const at = await bench({ erase: bulk(), ...setup });
  return { at, orders: await Promise.all(names.map((name) => at.order(name))) };
}

const asked = (more = {}) =>
  bulk({
    *run(orders, key) {
      const ids = orders.map(({ identity }) => identity.value);
      yield postJson(address`https://api.acme.example/deletions`, { ...bearer("key"), "idempotency-key": key }, ids);
      return orders.map(() => accepted("job 1", 3600));
    },
    *check(reference, orders) {
      const reply = yield get(address`https://api.acme.example/jobs/${{ job: reference }}`, bearer("key"));
      return orders.map(() => (reply.status === 200 ? erased : accepted(reference, 3600)));
    },
    ...more,
  });

describe("a bulk call", () => {
  it("[I4] is made once for many, and each ends with its own answer", async () => {
    const { at, orders } = await lane(["aa", "bb", "cc"]);
    const worked = await at.work(orders, [statuses(204, 404, 418)]);
    expect(at.bodies()).toEqual([addresses("aa", "bb", "cc")]);
    expect(summary(worked)).toEqual(["aa end erased", "bb end not_found", "cc park stuck"]);
    expect(worked.thaws).toBe(at.frozen[0]?.id);
  });

  it("[I3] fixes its members before it is made, and its key is the batch's", async () => {
    const { at, orders } = await lane(["aa", "bb"]);
    await at.work(orders, [statuses(204, 204)]);
    expect(at.frozen.map(({ members }) => members)).toEqual([orders.map(({ id }) => id)]);
    expect(at.idempotencyKeys()).toEqual([at.frozen[0]?.id]);
  });

  it("takes no more than the holder does; what does not fit goes back untouched", async () => {
    const { at, orders } = await lane(["aa", "bb", "cc", "dd"]);
    const worked = await at.work(orders, [statuses(204, 204, 204)]);
    expect(at.bodies()).toEqual([addresses("aa", "bb", "cc")]);
    expect(summary(worked)).toEqual(["aa end erased", "bb end erased", "cc end erased", "dd untouched"]);
    expect(at.frozen[0]?.members).toHaveLength(3);
  });

  it("names a person's further identities in the next one, and what it took is not named again", async () => {
    const { at } = await lane([]);
    const order = await at.order("aa", { identities: ["a1", "a2", "a3", "a4"].map(email) });
    const worked = await at.work([order], [statuses(204, 204, 204)]);
    expect(summary(worked)).toEqual(["aa back queued"]);
    expect(worked.settlements).toMatchObject([{ due: NOW }]);
    expect(summary(await at.work([at.again(order, worked)], [statuses(204)]))).toEqual(["aa end erased"]);
    expect(at.bodies()[1]).toEqual(addresses("a4"));
  });

  it("names an identity of several orders once, and its answer is for each of them", async () => {
    const { at } = await lane([]);
    const identities = [email("ada")];
    const orders = [await at.order("aa", { identities }), await at.order("bb", { identities }), await at.order("cc")];
    const worked = await at.work(orders, [statuses(204, 404)]);
    expect(at.bodies()).toEqual([addresses("ada", "cc")]);
    expect(summary(worked)).toEqual(["aa end erased", "bb end erased", "cc end not_found"]);
  });

  it("[I9] names an identity once more for a request that keeps something else", async () => {
    const { at } = await lane([]);
    const identities = [email("ada")];
    const keeps = { invoices: { until: "2036-01-01T00:00:00.000Z", ground: "law" } };
    const orders = [await at.order("aa", { identities }), await at.order("bb", { identities, keeps })];
    await at.work(orders, [statuses(204, 204)]);
    expect(at.bodies()).toEqual([addresses("ada", "ada")]);
  });

  it("[I4] that has no answer for somebody says so, and claims nothing", async () => {
    const { at, orders } = await lane(["aa", "bb"]);
    expect(summary(await at.work(orders, [statuses(204)]))).toEqual(["aa end erased", "bb park stuck"]);
  });

  it("[I7] notes one call an order, however many of its identities it named, and no digest", async () => {
    const { at } = await lane([]);
    const order = await at.order("aa", { identities: ["a1", "a2", "a3"].map(email) });
    const { settlements } = await at.work([order], [statuses(204, 204, 204)]);
    const task = taskOf(settlements[0]);
    expect("evidence" in task && task.evidence).toEqual([
      { method: "POST", host: "api.acme.example", path: "/deletions", status: 200, at: "2026-11-21T09:00:00Z" },
    ]);
  });

  it("keeps what one identity came to where another is stuck", async () => {
    const { at } = await lane([]);
    const order = await at.order("aa", { identities: [email("odd"), email("even")] });
    const { settlements } = await at.work([order], [statuses(418, 204)]);
    expect(settlements).toMatchObject([{ what: "park" }]);
    const { targets } = await at.cursorOf(order, settlements[0]);
    expect(targets.map(({ state }) => state.at)).toEqual(["todo", "done"]);
  });

  it("leaves the orders of another action to a turn of their own", async () => {
    const { at } = await lane([], { revoke: bulk() });
    const orders = [await at.order("aa"), await at.order("bb", { action: "revoke" }), await at.order("cc")];
    expect(summary(await at.work(orders, [statuses(204, 204)]))).toEqual([
      "aa end erased",
      "bb untouched",
      "cc end erased",
    ]);
    expect(at.frozen[0]?.members).not.toContain(orders[1]?.id);
  });

  it("is made beside single calls of the same lane", async () => {
    const { at } = await lane([], { revoke: single() });
    const orders = [await at.order("aa"), await at.order("bb", { action: "revoke" })];
    expect(summary(await at.work(orders, [{ status: 204 }, statuses(204)]))).toEqual([
      "aa end erased",
      "bb end erased",
    ]);
  });

  it("[I4] parks what has nothing to be looked for with, as a single call would", async () => {
    const { at } = await lane([]);
    const { settlements } = await at.work([await at.order("aa", { identities: [] })], []);
    expect(settlements).toMatchObject([{ what: "park" }]);
    expect(taskOf(settlements[0])).toMatchObject({ state: "stuck", reason: expect.stringContaining("no identity") });
  });

  it("[I3] makes what it found known for each order, in one round trip, before anything is done to it", async () => {
    const erase = bulk({
      *run(orders) {
        yield postJson(address`https://api.acme.example/search`, bearer("key"), []);
        return orders.map(({ identity }) => found([{ type: "acme.contact", value: identity.value }]));
      },
    });
    const { at, orders } = await lane(["aa", "bb"], { erase });
    const worked = await at.work(orders, [statuses()]);
    expect(at.suppressed).toEqual(orders.map(({ id }) => `acted ${id.split("/")[0]} acme`));
    expect(at.suppressions()).toBe(1);
    expect(summary(worked)).toEqual(["aa back queued", "bb back queued"]);
  });

  it("[I2] shows a mistake in the vendor's code, and parks whom it was made for", async () => {
    const erase = bulk({
      // biome-ignore lint/correctness/useYield: it fails before it calls.
      *run() {
        throw new TypeError("oops");
      },
    });
    const { at, orders } = await lane(["aa", "bb"], { erase });
    const worked = await at.work(orders, []);
    expect(summary(worked)).toEqual(["aa park stuck", "bb park stuck"]);
    expect(worked.thaws, "the next batch is another").toBe(at.frozen[0]?.id);
  });

  it("[I3] is not made by a run that has lost the lane", async () => {
    const { at, orders } = await lane(["aa"], { lanes: { freeze: async () => false } });
    const worked = await at.work(orders, []);
    expect(at.calls).toEqual([]);
    expect(summary(worked)).toEqual(["aa untouched"]);
    expect(worked.thaws).toBeUndefined();
  });
});

describe("a bulk call whose answer was lost", () => {
  it.each<readonly [string, Answered]>([
    ["a time-out", TIMED_OUT],
    ["a dropped connection", DROPPED],
    ["an answer that is too large", { problem: { reason: "too_large", maxBytes: 1 } }],
  ])("[I3] is made again to the letter, after %s", async (_, lost) => {
    const { at } = await lane([]);
    const orders = await Promise.all(
      [["a1", "a2"], ["b1"], ["c1"]].map((names) => at.order(names[0] ?? "", { identities: names.map(email) })),
    );
    const first = await at.work(orders, [lost]);
    const [batch] = at.frozen;
    expect(first.thaws).toBeUndefined();
    expect(first.repeat).toBeGreaterThan(NOW);
    expect(first.repeat).toBeLessThanOrEqual(NOW + 5 * 60_000);
    expect(first.rest, "others of the vendor account do not wait for it").toBe(0);
    const members = orders.filter(({ id }) => batch?.members.includes(id)).map((order) => at.again(order, first));
    const second = await at.work(members, [statuses(204, 204, 204)], batch);
    expect(at.frozen, "it was fixed once").toHaveLength(1);
    expect(at.bodies()[1]).toEqual(at.bodies()[0]);
    expect(at.idempotencyKeys()[1]).toBe(at.idempotencyKeys()[0]);
    expect(second.thaws).toBe(batch?.id);
  });

  it("[I3] is made again in the same order over several connections", async () => {
    const names = ["aa", "bb", "cc"];
    const { at, orders } = await lane(names, { limits: { connections: 3 } });
    const first = await at.work(orders, [TIMED_OUT]);
    await at.work(
      orders.map((order) => at.again(order, first)),
      [statuses(204, 204, 204)],
      at.frozen[0],
    );
    expect(at.bodies()).toEqual([addresses(...names), addresses(...names)]);
  });

  it("[I3] is made again after a crash, before anything was settled", async () => {
    const { at, orders } = await lane(["aa", "bb"]);
    const batch = { id: "batch_before", members: orders.map(({ id }) => id) };
    const worked = await at.work(orders, [statuses(204, 204)], batch);
    expect(at.idempotencyKeys()).toEqual(["batch_before"]);
    expect(at.frozen).toEqual([]);
    expect(worked.thaws).toBe("batch_before");
  });

  it("is another, under another key, when a member was ended by hand or is held meanwhile", async () => {
    const hold = { id: "h1", subject: "held", reason: "court", reviewAt: "", placedAt: "", placedBy: "" };
    const { at, orders } = await lane(["aa"], { holds: [hold] });
    const held = await at.order("bb", { subject: "held" });
    const batch = { id: "batch_before", members: [...orders, held].map(({ id }) => id) };
    const worked = await at.work([...orders, held], [statuses(204)], batch);
    expect(at.frozen.map(({ members }) => members)).toEqual([orders.map(({ id }) => id)]);
    expect(at.idempotencyKeys()).not.toContain("batch_before");
    expect(summary(worked)).toEqual(["aa end erased", "bb back stuck"]);
    expect(worked.settlements.find(({ id }) => id === held.id)).toMatchObject({ due: NOW + DAY });
  });

  it("[I10] is over when nobody of it can be worked: it does not come back at once for ever", async () => {
    const hold = { id: "h1", reason: "court", reviewAt: "", placedAt: "", placedBy: "" };
    const { at, orders } = await lane(["aa", "bb"], { holds: [hold] });
    const worked = await at.work(orders, [], { id: "batch_before", members: orders.map(({ id }) => id) });
    expect(summary(worked)).toEqual(["aa back stuck", "bb back stuck"]);
    expect(worked.thaws).toBe("batch_before");
  });

  it("[I10] does not hold up the lane for ever: after many losses its orders wait by themselves", async () => {
    const { at, orders } = await lane(["aa"]);
    let order = orders[0];
    for (let loss = 1; loss <= STUCK_AFTER; loss++) {
      if (order === undefined) throw new Error("there is one");
      const worked = await at.work([order], [TIMED_OUT], at.frozen[0]);
      expect(worked.thaws, `loss ${loss}`).toBe(loss < STUCK_AFTER ? undefined : at.frozen[0]?.id);
      if (loss === STUCK_AFTER) expect(summary(worked)).toEqual(["aa back stuck"]);
      order = at.again(order, worked);
    }
    expect(new Set(at.idempotencyKeys()).size).toBe(1);
  });

  it.each<readonly [string, Answered]>([
    ["the vendor's own trouble", { status: 503 }],
    ["a wish for rest", { status: 429, headers: { "retry-after": "60" } }],
    ["a refused credential", { status: 401 }],
  ])("is not one after %s: the answer is definite, and nobody ends", async (_, answered) => {
    const { at, orders } = await lane(["aa", "bb"]);
    const worked = await at.work(orders, [answered]);
    expect(worked.thaws).toBe(at.frozen[0]?.id);
    expect(worked.repeat).toBe(0);
    expect(worked.settlements.map(({ what }) => what)).toEqual(["back", "back"]);
  });

  it("waits as it is, when the run has no time left for it", async () => {
    const { at, orders } = await lane(["aa"]);
    const batch = { id: "batch_before", members: orders.map(({ id }) => id) };
    const worked = await at.work(orders, [], batch, { end: NOW });
    expect(summary(worked)).toEqual(["aa untouched"]);
    expect(worked.thaws).toBeUndefined();
  });
});

describe("work that a bulk call was accepted for", () => {
  const begun = async (names: readonly string[], more = {}) => {
    const { at, orders } = await lane(names, { erase: asked(more) });
    const first = await at.work(orders, [statuses()]);
    at.pass(3600_000);
    return { at, first, orders: orders.map((order): Claimed => at.again(order, first)) };
  };

  it("goes back until it is to be asked about", async () => {
    const { first } = await begun(["aa", "bb"]);
    expect(summary(first)).toEqual(["aa back accepted", "bb back accepted"]);
    expect(first.settlements).toMatchObject([{ due: NOW + 3600_000 }, { due: NOW + 3600_000 }]);
  });

  it("is asked about once for all, and ends for each", async () => {
    const { at, orders } = await begun(["aa", "bb", "cc"]);
    const worked = await at.work(orders, [{ status: 200 }]);
    expect(at.calls.map(({ method }) => method)).toEqual(["POST", "GET"]);
    expect(summary(worked)).toEqual(["aa end erased", "bb end erased", "cc end erased"]);
    expect(worked.thaws, "nothing was fixed").toBeUndefined();
  });

  it("is asked about before something new is begun, and nothing is begun when the holder wants rest", async () => {
    const { at, orders } = await begun(["aa", "bb"]);
    const fresh = await at.order("cc");
    const worked = await at.work([...orders, fresh], [{ status: 429 }]);
    expect(at.calls).toHaveLength(2);
    expect(worked.rest).toBeGreaterThan(0);
    expect(summary(worked)).toEqual(["aa back queued", "bb back queued", "cc untouched"]);
  });

  it("waits while a lost batch is repeated, which is made of what it was made of", async () => {
    const { at, orders } = await begun(["aa"]);
    const fresh = await at.order("cc");
    const worked = await at.work([...orders, fresh], [statuses()], { id: "batch_before", members: [fresh.id] });
    expect(at.calls.map(({ method }) => method)).toEqual(["POST", "POST"]);
    expect(summary(worked)).toEqual(["aa untouched", "cc back accepted"]);
  });

  it("is not asked about too early, when its order was claimed with others", async () => {
    const { at, orders } = await lane(["aa"], { erase: asked() });
    const first = await at.work(orders, [statuses()]);
    const worked = await at.work(
      orders.map((order) => at.again(order, first)),
      [],
    );
    expect(summary(worked)).toEqual(["aa back accepted"]);
    expect(worked.settlements).toMatchObject([{ due: NOW + 3600_000 }]);
  });

  it("[I4] is stuck, visibly, where the holder cannot be asked", async () => {
    const { at, orders } = await begun(["aa"], { check: undefined });
    expect(summary(await at.work(orders, []))).toEqual(["aa park stuck"]);
  });
});

describe("a look at what a bulk call has erased", () => {
  const looking = (after = 60) => ({
    ...bulk(),
    look: {
      afterSeconds: after,
      *run({ identity }: Order): Steps<Sight> {
        const reply = yield get(
          address`https://api.acme.example/contacts/${{ contact: identity.value }}`,
          bearer("key"),
        );
        return reply.status === 404 ? "absent" : reply.status === 200 ? "present" : "no_view";
      },
    },
  });
  const gone: Answered = { status: 404 };
  const there: Answered = { status: 200, body: {} };

  it("[I4] is made for each person, and only one that finds nothing ends in erased", async () => {
    const { at, orders } = await lane(["aa", "bb", "cc"], { erase: looking() });
    const first = await at.work(orders, [statuses(204, 204, 404)]);
    expect(summary(first)).toEqual(["aa back queued", "bb back queued", "cc end not_found"]);
    at.pass(60_000);
    const again = orders.slice(0, 2).map((order) => at.again(order, first));
    const second = await at.work(again, [gone, there]);
    expect(summary(second)).toEqual(["aa end erased", "bb back queued"]);
    expect(taskOf(second.settlements.find(({ id }) => id === orders[0]?.id))).toMatchObject({
      level: "verified_absent",
      read_back: "all",
      evidence: [{ method: "POST" }, { method: "GET", status: 404 }],
    });
    const due = second.settlements.flatMap((each) => ("due" in each ? [each.due] : []));
    expect(
      due.every((each) => each > NOW + 60_000),
      "not at once",
    ).toBe(true);
    expect(taskOf(second.settlements.find(({ id }) => id === orders[1]?.id))).toMatchObject({
      reason: "it was still there at a later look",
    });
  });

  it("asks for who is still there again, in a batch of their own", async () => {
    const { at, orders } = await lane(["aa"], { erase: looking() });
    const first = await at.work(orders, [statuses(204)]);
    at.pass(60_000);
    const [order] = orders.map((each) => at.again(each, first));
    if (order === undefined) throw new Error("there is an order");
    const second = await at.work([order], [there]);
    at.pass(60_000);
    const third = await at.work([at.again(order, second)], [statuses(204)]);
    expect(at.bodies().filter((body) => body !== null)).toEqual([addresses("aa"), addresses("aa")]);
    expect(summary(third)).toEqual(["aa back queued"]);
  });

  it("[I2] costs an order nothing when it fails, and the others are looked at all the same", async () => {
    const { at, orders } = await lane(["aa", "bb"], { erase: looking() });
    const first = await at.work(orders, [statuses(204, 204)]);
    at.pass(60_000);
    const again = orders.map((order) => at.again(order, first));
    const second = await at.work(again, [DROPPED, gone]);
    expect(summary(second)).toEqual(["aa back queued", "bb end erased"]);
    const third = await at.work(again.slice(0, 1), [{ status: 410 }]);
    expect(taskOf(third.settlements[0])).toMatchObject({ level: "deleted_reported", read_back: "none" });
  });
});
