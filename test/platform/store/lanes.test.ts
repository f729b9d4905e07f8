import { expect, it } from "vitest";
import { keys, laneName, SHARDS } from "../../../src/platform/keys.ts";
import { AWAKE_MS, laneKeys, type Settlement } from "../../../src/platform/store/lanes.ts";
import {
  alpha,
  beta,
  claimed,
  claimedOne,
  closable,
  closing,
  DAY,
  drops,
  ends,
  founded,
  gateway,
  goesBack,
  HOUR,
  idOf,
  LEASE,
  MINUTE,
  NOW,
  n,
  ONE,
  opened,
  parks,
  request,
  SECOND,
  TWO,
  task,
} from "../samples.ts";
import { engines, holding, onEach } from "../stand.ts";

onEach("claiming from a lane", engines, ({ store, state, twice, raw }) => {
  const claim = (token: string, now = NOW, most = 50) =>
    store.settleAndClaim(alpha, undefined, { token, most, leaseUntil: now + LEASE, run: "run" }, now);
  const tell = (...notices: readonly string[]) =>
    Promise.all(notices.map((notice) => store.tell(n, notice, ["alpha"], NOW)));

  it("[I3] gives the same batch again to the same token, and counts no second attempt", async () => {
    await tell("a", "b", "c");
    const [first, second] = await twice(() => claim("token", NOW, 2));
    expect(first.claim).toEqual({
      state: "batch",
      orders: ["a", "b"].map((id) => ({ id, attempt: 1, payload: "", cursor: "", learned: [], joint: [] })),
    });
    expect(second).toEqual(first);
    expect((await claimed(store, alpha, "other")).map(({ id }) => id)).toEqual(["c"]);
  });

  it("[I2] holds a batch under its lease, then gives it to another token with a higher attempt", async () => {
    await tell("a");
    await claim("first");
    expect((await claim("second", NOW + LEASE - 1)).claim).toEqual({ state: "none" });
    expect((await claim("second", NOW + LEASE)).claim).toMatchObject({
      state: "batch",
      orders: [{ id: "a", attempt: 2 }],
    });
    const settle = { token: "first", settlements: [drops("a", 1)] };
    expect((await store.settleAndClaim(alpha, settle, undefined, NOW + LEASE)).settled).toEqual({
      results: ["late"],
      woken: [],
    });
  });

  it("[I10] gives few of them where they are large, and the others next", async () => {
    await founded(store);
    const large = ["one", "two", "three", "four"].map(idOf);
    for (const id of large) await opened(store, id, [task("alpha.erase", { payload: "x".repeat(1_200_000) })]);
    const [first, second] = await twice(() => claim("token"));
    expect(first.claim).toMatchObject({ state: "batch", orders: [{ attempt: 1 }, { attempt: 1 }] });
    expect(second).toEqual(first);
    const next = await claimed(store, alpha, "next");
    const both = [...(first.claim?.state === "batch" ? first.claim.orders : []), ...next].map(({ id }) => id);
    expect(new Set(both)).toEqual(new Set(large.map((id) => `${id}/alpha.erase`)));
    expect(next.map(({ attempt }) => attempt)).toEqual([1, 1]);
  });

  it("gives a repeated claim only what its token still holds", async () => {
    await tell("a", "b");
    await claim("token");
    await store.settleAndClaim(alpha, { token: "token", settlements: [drops("a", 1)] }, undefined, NOW);
    expect((await claim("token")).claim).toMatchObject({ orders: [{ id: "b", attempt: 1 }] });
  });

  const pause = async (until: number) => {
    await tell("first");
    await claim("pauses", NOW, 1);
    const settle = { token: "pauses", settlements: [drops("first", 1)], pauseUntil: until };
    await store.settleAndClaim(alpha, settle, undefined, NOW);
  };

  it("rests while the lane is paused, says until when, and goes on at that moment", async () => {
    await pause(NOW + MINUTE);
    await tell("a");
    const [first] = await twice(() => claim("token"));
    expect(first.claim).toEqual({ state: "paused", until: NOW + MINUTE });
    expect((await claim("token", NOW + MINUTE)).claim).toMatchObject({ orders: [{ id: "a" }] });
  });

  it("is not paused by a runner that comes too late", async () => {
    await tell("a");
    await claim("first");
    await claim("second", NOW + LEASE);
    const late = { token: "first", settlements: [drops("a", 1)], pauseUntil: NOW + DAY };
    await store.settleAndClaim(alpha, late, undefined, NOW + LEASE);
    expect((await claim("third", NOW + 2 * LEASE)).claim).toMatchObject({ orders: [{ id: "a" }] });
  });

  it("goes on at once when a pause is lifted", async () => {
    await pause(NOW + DAY);
    await tell("a");
    await store.sweep([alpha], NOW);
    expect(await store.dueLanes(NOW, 10)).toEqual([]);
    await twice(() => store.unpause(alpha, undefined, NOW));
    expect(await store.dueLanes(NOW, 10)).toEqual([alpha]);
    expect(await claimed(store, alpha, "token")).toHaveLength(1);
  });

  it("leaves the lane asleep when nothing is due, and awake for a minute when something was", async () => {
    const awake = () => raw("HGET", laneKeys(alpha)[1], "~a");
    await tell("a");
    await claim("token");
    expect(await awake()).toBe(String(NOW + AWAKE_MS));
    const [first] = await twice(() => claim("next"));
    expect(first.claim).toEqual({ state: "none" });
    expect(await awake()).toBeNull();
  });

  it("touches only the lane's own two keys, and says that the tenant has a run more", async () => {
    await tell("a");
    const before = await state();
    await claim("token");
    const after = await state();
    const changed = Object.keys(after).filter((key) => JSON.stringify(after[key]) !== JSON.stringify(before[key]));
    expect(changed.toSorted()).toEqual([keys.runs(n), laneKeys(alpha)[0], laneKeys(alpha)[1]].toSorted());
  });

  it("[I8] takes an earlier deadline first, even if it became ready later", async () => {
    await founded(store);
    await store.record([
      request(ONE, { startAt: NOW + SECOND, deadline: NOW + 30 * DAY }),
      request(TWO, { startAt: NOW + HOUR, deadline: NOW + 2 * DAY }),
    ]);
    const orders = await claimed(store, gateway, "token", { now: NOW + HOUR });
    expect(orders.map(({ id }) => id)).toEqual([`start:${TWO}`, `start:${ONE}`]);
  });

  it("[I8] takes an earlier deadline before those that have been ready for long", async () => {
    await founded(store);
    const many = Array.from({ length: 6 }, (_, at) => idOf(`many${at}`));
    await store.record(many.map((id) => request(id)));
    const [first] = await claimed(store, gateway, "first", { most: 1 });
    expect(first?.id).toMatch(/^start:/);
    await store.record([request(ONE, { now: NOW + HOUR, startAt: NOW + HOUR, deadline: NOW + DAY })]);
    const next = await claimed(store, gateway, "next", { now: NOW + HOUR, most: 1 });
    expect(next.map(({ id }) => id)).toEqual([`start:${ONE}`]);
  });

  it("[I2] works off a backlog to its end, each order once", async () => {
    await founded(store);
    const many = Array.from({ length: 16 }, (_, at) => idOf(`many${at}`));
    await store.record(many.map((id, at) => request(id, { startAt: NOW + at, deadline: NOW + (50 - at) * DAY })));
    const seen: string[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const batch = await claimed(store, gateway, `turn-${turn}`, { now: NOW + SECOND, most: 4 });
      seen.push(...batch.map(({ id }) => id));
    }
    expect(seen.toSorted()).toEqual(many.map((id) => `start:${id}`).toSorted());
    expect(seen[0]).toBe(`start:${many.at(-1)}`);
    expect(await claimed(store, gateway, "more", { now: NOW + SECOND })).toEqual([]);
  });

  it("[I6] never gives one tenant's orders to another's lane", async () => {
    await tell("a");
    expect(await claimed(store, laneName("2", "alpha"), "token")).toEqual([]);
    expect(await claimed(store, laneName("11", "alpha"), "token")).toEqual([]);
  });
});

onEach("settling what was claimed", engines, ({ store, dump, state, twice, raw }) => {
  const settle = (lane: string, token: string, ...settlements: readonly Settlement[]) =>
    store.settleAndClaim(lane, { token, settlements }, undefined, NOW).then(({ settled }) => settled);
  const field = (id: typeof ONE, name: string) => raw("HGET", keys.request(n, id), name);
  const gateways = async () => Object.keys(await hashOf(laneKeys(gateway)[1])).filter((id) => !/:[a-z]$|^~/.test(id));
  const hashOf = async (key: string): Promise<Readonly<Record<string, string>>> => {
    const value = (await dump())[key]?.value;
    return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
  };

  it("[I3] ends a task once: its order goes, its record says so, and the repeat comes late", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase"), task("beta.erase")]);
    const order = await claimedOne(store, alpha, `${ONE}/alpha.erase`, "token");
    const [first, second] = await twice(() => settle(alpha, "token", ends(ONE, "alpha.erase", order.attempt)));
    expect(first).toEqual({ results: ["applied"], woken: [] });
    expect(second).toEqual({ results: ["late"], woken: [] });
    expect(await field(ONE, "t:alpha.erase")).toBe("ended alpha.erase");
    expect(await raw("SMEMBERS", keys.openTasks(n, ONE))).toEqual(["beta.erase"]);
    expect(holding(await dump(), /sealed payload of alpha/)).toEqual([]);
  });

  it.each([
    ["an end", ends(ONE, "alpha.erase", 1, { frees: [{ task: "beta.erase", subprocessor: "beta" }], learned: "x" })],
    ["a return", goesBack(ONE, "alpha.erase", 1, { cursor: "late cursor" })],
    ["a park", parks(ONE, "alpha.erase", 1, "late cursor")],
    ["a drop", drops(`${ONE}/alpha.erase`, 1)],
  ])("[I3] changes nothing by %s that comes late", async (_, late) => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase"), task("beta.erase", { what: "wait", waits: ["alpha.erase"] })]);
    await claimed(store, alpha, "first");
    await claimed(store, alpha, "second", { now: NOW + LEASE });
    const before = await state();
    for (const token of ["first", "second", "nobody"])
      expect((await store.settleAndClaim(alpha, { token, settlements: [late] }, undefined, NOW)).settled).toEqual({
        results: ["late"],
        woken: [],
      });
    expect(await state()).toEqual(before);
  });

  it("settles a batch entry by entry", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase"), task("alpha.revoke"), task("alpha.stop"), task("alpha.look")]);
    await claimed(store, alpha, "token");
    const [first] = await twice(() =>
      store.settleAndClaim(
        alpha,
        {
          token: "token",
          settlements: [
            goesBack(ONE, "alpha.revoke", 1, { due: NOW + MINUTE, cursor: "cursor" }),
            ends(ONE, "alpha.erase", 2),
            parks(ONE, "alpha.stop", 1),
            ends(ONE, "alpha.look", 1),
          ],
        },
        undefined,
        NOW,
      ),
    );
    expect(first.settled?.results).toEqual(["applied", "late", "applied", "applied"]);
    expect(await raw("SMEMBERS", keys.openTasks(n, ONE))).toHaveLength(3);
  });

  it("gives an order back with its cursor, ready at its time and with the next attempt", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase")]);
    await claimed(store, alpha, "token");
    const back = goesBack(ONE, "alpha.erase", 1, { due: NOW + HOUR, cursor: "sealed cursor" });
    const [first] = await twice(() =>
      store.settleAndClaim(alpha, { token: "token", settlements: [back] }, undefined, NOW),
    );
    expect(first.settled?.results).toEqual(["applied"]);
    expect(await field(ONE, "t:alpha.erase")).toBe("again alpha.erase");
    expect(await claimed(store, alpha, "early", { now: NOW + HOUR - 1 })).toEqual([]);
    expect(await claimed(store, alpha, "again", { now: NOW + HOUR })).toEqual([
      {
        id: `${ONE}/alpha.erase`,
        attempt: 2,
        payload: "sealed payload of alpha.erase",
        cursor: "sealed cursor",
        learned: [],
        joint: [],
      },
    ]);
  });

  it("keeps the cursor of before where an order goes back untouched, and makes it ready at once", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase")]);
    await claimed(store, alpha, "a");
    const first = goesBack(ONE, "alpha.erase", 1, { cursor: "sealed cursor" });
    await store.settleAndClaim(alpha, { token: "a", settlements: [first] }, undefined, NOW);
    await claimed(store, alpha, "b");
    await store.settleAndClaim(alpha, { token: "b", settlements: [goesBack(ONE, "alpha.erase", 2)] }, undefined, NOW);
    expect(await claimed(store, alpha, "c")).toMatchObject([{ attempt: 3, cursor: "sealed cursor" }]);
  });

  it("[I2] keeps a parked order until somebody gives it back by hand", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase")]);
    await claimed(store, alpha, "token");
    const park = parks(ONE, "alpha.erase", 1, "sealed cursor");
    await twice(() => store.settleAndClaim(alpha, { token: "token", settlements: [park] }, undefined, NOW));
    expect(await claimed(store, alpha, "later", { now: NOW + 300 * DAY })).toEqual([]);
    expect(await store.look([{ lane: alpha, id: `${ONE}/alpha.erase` }])).toEqual(["waiting"]);
    const again = () => store.byHand(alpha, goesBack(ONE, "alpha.erase", 0), NOW);
    const [first] = await twice(again);
    expect(first).toEqual({ results: ["applied"], woken: [alpha] });
    expect(await store.dueLanes(NOW, 10)).toContain(alpha);
    expect(await claimed(store, alpha, "next")).toMatchObject([{ attempt: 2, cursor: "sealed cursor" }]);
  });

  it("drops an order without a task", async () => {
    await store.tell(n, "notice", ["alpha"], NOW);
    await claimed(store, alpha, "token");
    const drop = { token: "token", settlements: [drops("notice", 1)] };
    const [first, second] = await twice(() => store.settleAndClaim(alpha, drop, undefined, NOW));
    expect([first.settled?.results, second.settled?.results]).toEqual([["applied"], ["late"]]);
    expect(await store.look([{ lane: alpha, id: "notice" }])).toEqual(["missing"]);
  });

  it("frees what waited, with what was learned, wakes its lane, and frees it once", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase"), task("beta.erase", { what: "wait", waits: ["alpha.erase"] })]);
    expect(await claimed(store, beta, "early")).toEqual([]);
    await claimed(store, alpha, "token");
    const end = ends(ONE, "alpha.erase", 1, {
      learned: "lesson",
      frees: [{ task: "beta.erase", subprocessor: "beta" }],
    });
    const [first] = await twice(() => settle(alpha, "token", end));
    expect(first).toEqual({ results: ["applied"], woken: [beta] });
    expect(await claimed(store, beta, "token")).toEqual([
      {
        id: `${ONE}/beta.erase`,
        attempt: 1,
        payload: "sealed payload of beta.erase",
        cursor: "",
        learned: ["lesson"],
        joint: [],
      },
    ]);
    expect(await field(ONE, "wo:beta.erase")).toBeNull();
  });

  it("frees what waited for several only with the last, with the lessons of all", async () => {
    await founded(store);
    const frees = [{ task: "beta.erase", subprocessor: "beta" }];
    await opened(store, ONE, [
      task("alpha.erase"),
      task("alpha.look"),
      task("beta.erase", { what: "wait", waits: ["alpha.erase", "alpha.look"] }),
    ]);
    await claimed(store, alpha, "token");
    await twice(() => settle(alpha, "token", ends(ONE, "alpha.look", 1, { frees, learned: "one" })));
    expect(await claimed(store, beta, "early")).toEqual([]);
    await twice(() => settle(alpha, "token", ends(ONE, "alpha.erase", 1, { frees, learned: "two" })));
    expect(await claimed(store, beta, "token")).toMatchObject([{ learned: ["one", "two"] }]);
  });

  it("frees what waited in the very lane of the task that ended", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase"), task("alpha.revoke", { what: "wait", waits: ["alpha.erase"] })]);
    await claimed(store, alpha, "token");
    const frees = [{ task: "alpha.revoke", subprocessor: "alpha" }];
    await twice(() => settle(alpha, "token", ends(ONE, "alpha.erase", 1, { frees })));
    expect(await claimed(store, alpha, "next")).toMatchObject([{ id: `${ONE}/alpha.revoke`, learned: [] }]);
  });

  it("frees several at once, in several lanes", async () => {
    await founded(store);
    await opened(store, ONE, [
      task("alpha.erase"),
      task("alpha.revoke", { what: "wait", waits: ["alpha.erase"] }),
      task("beta.erase", { what: "wait", waits: ["alpha.erase"] }),
    ]);
    await claimed(store, alpha, "token");
    const frees = ["alpha.revoke", "beta.erase"].map((each) => ({
      task: each,
      subprocessor: each.slice(0, each.indexOf(".")),
    }));
    await twice(() => settle(alpha, "token", ends(ONE, "alpha.erase", 1, { frees, learned: "lesson" })));
    expect(await claimed(store, alpha, "next")).toMatchObject([{ id: `${ONE}/alpha.revoke`, learned: ["lesson"] }]);
    expect(await claimed(store, beta, "next")).toMatchObject([{ id: `${ONE}/beta.erase`, learned: ["lesson"] }]);
  });

  it("[I2] puts the close into the gateway's lane with the last end, and only once", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase"), task("beta.erase")]);
    await claimed(store, gateway, "nothing"); // It falls asleep.
    await claimed(store, alpha, "token");
    await claimed(store, beta, "token");
    await twice(() => settle(alpha, "token", ends(ONE, "alpha.erase", 1)));
    expect(await gateways()).toEqual([`watch:${ONE}`]);
    const [first, second] = await twice(() => settle(beta, "token", ends(ONE, "beta.erase", 1)));
    expect(first).toEqual({ results: ["applied"], woken: [gateway] });
    expect(second).toEqual({ results: ["late"], woken: [] });
    expect(await gateways()).toEqual([`close:${ONE}`, `watch:${ONE}`]);
    expect(await claimed(store, gateway, "token")).toMatchObject([{ id: `close:${ONE}`, attempt: 1 }]);
  });

  it("closes each request of a batch whose last tasks end together", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase"), task("alpha.revoke")]);
    await opened(store, TWO, [task("alpha.erase")]);
    await claimed(store, alpha, "token");
    await twice(() =>
      settle(alpha, "token", ends(ONE, "alpha.erase", 1), ends(TWO, "alpha.erase", 1), ends(ONE, "alpha.revoke", 1)),
    );
    expect((await claimed(store, gateway, "token")).map(({ id }) => id).toSorted()).toEqual(
      [`close:${ONE}`, `close:${TWO}`].toSorted(),
    );
  });

  it("pauses the lane with the settlement that asks for it, and takes what it claims in the same trip no further", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase"), task("alpha.revoke")]);
    await claimed(store, alpha, "token", { most: 1 });
    const [first] = await twice(() =>
      store.settleAndClaim(
        alpha,
        { token: "token", settlements: [goesBack(ONE, "alpha.erase", 1)], pauseUntil: NOW + HOUR },
        { token: "next", most: 10, leaseUntil: NOW + LEASE, run: "run" },
        NOW,
      ),
    );
    expect(first.claim).toEqual({ state: "paused", until: NOW + HOUR });
    expect(await store.sweep([alpha], NOW + MINUTE)).toEqual([]);
  });

  it("[I3] settles and claims in one trip, and a repeat of both gives the same batch", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase"), task("alpha.revoke")]);
    await claimed(store, alpha, "token", { most: 1 });
    const [first, second] = await twice(() =>
      store.settleAndClaim(
        alpha,
        { token: "token", settlements: [ends(ONE, "alpha.erase", 1)] },
        { token: "next", most: 1, leaseUntil: NOW + LEASE, run: "run" },
        NOW,
      ),
    );
    expect(first.claim).toMatchObject({ orders: [{ id: `${ONE}/alpha.revoke`, attempt: 1 }] });
    expect(second.claim).toEqual(first.claim);
  });

  it("[I3] lets an end by hand win over a runner that is at it", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase")]);
    await claimed(store, alpha, "runner");
    await claimed(store, gateway, "nothing");
    const byHand = ends(ONE, "alpha.erase", 0, { document: "ended by hand" });
    const [first, second] = await twice(() => store.byHand(alpha, byHand, NOW));
    expect(first).toEqual({ results: ["applied"], woken: [gateway] });
    expect(second).toEqual({ results: ["late"], woken: [] });
    expect(await settle(alpha, "runner", ends(ONE, "alpha.erase", 1))).toMatchObject({ results: ["late"] });
    expect(await field(ONE, "t:alpha.erase")).toBe("ended by hand");
    expect(await store.look([{ lane: alpha, id: `${ONE}/alpha.erase` }])).toEqual(["missing"]);
  });

  it("[I3] takes an order from its runner when it is given back by hand", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase")]);
    await claimed(store, alpha, "runner");
    await twice(() => store.byHand(alpha, goesBack(ONE, "alpha.erase", 0), NOW));
    expect(await settle(alpha, "runner", ends(ONE, "alpha.erase", 1))).toMatchObject({ results: ["late"] });
    expect(await claimed(store, alpha, "next")).toMatchObject([{ attempt: 2 }]);
  });

  it("says that an order is missing where a task without one is given back by hand, and changes nothing", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase", { what: "open", payload: "" })]);
    const before = await state();
    expect(await store.byHand(alpha, goesBack(ONE, "alpha.erase", 0), NOW)).toEqual({
      results: ["missing"],
      woken: [],
    });
    expect(await state()).toEqual(before);
  });

  it("[I3] comes late by hand, too, when the task has ended", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase"), task("beta.erase")]);
    await claimed(store, alpha, "runner");
    await settle(alpha, "runner", ends(ONE, "alpha.erase", 1));
    const before = await state();
    for (const late of [ends(ONE, "alpha.erase", 0), goesBack(ONE, "alpha.erase", 0)])
      expect(await store.byHand(alpha, late, NOW)).toEqual({ results: ["late"], woken: [] });
    expect(await state()).toEqual(before);
  });

  it("[I3] never starts a waiting task that was ended by hand", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase"), task("beta.erase", { what: "wait", waits: ["alpha.erase"] })]);
    await store.byHand(beta, ends(ONE, "beta.erase", 0, { document: "ended by hand" }), NOW);
    await claimed(store, alpha, "runner");
    const frees = [{ task: "beta.erase", subprocessor: "beta" }];
    await settle(alpha, "runner", ends(ONE, "alpha.erase", 1, { frees }));
    expect(await claimed(store, beta, "runner")).toEqual([]);
    expect(await field(ONE, "t:beta.erase")).toBe("ended by hand");
  });

  it("[I7] leaves nothing sealed in a lane for a waiting task that was ended by hand", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase"), task("beta.erase", { what: "wait", waits: ["alpha.erase"] })]);
    await store.byHand(beta, ends(ONE, "beta.erase", 0), NOW);
    await claimed(store, alpha, "runner");
    const frees = [{ task: "beta.erase", subprocessor: "beta" }];
    await settle(alpha, "runner", ends(ONE, "alpha.erase", 1, { frees, learned: "sealed lesson" }));
    const close = await claimedOne(store, gateway, `close:${ONE}`, "closes");
    await store.close([closing(ONE, close)]);
    expect(holding(await dump(), /sealed|wrapped key/)).toEqual([]);
  });

  it("[I2] leaves a close that is at work alone when a task's end comes again", async () => {
    await founded(store);
    const close = await closable(store, ONE);
    expect(await store.byHand(alpha, ends(ONE, "alpha.erase", 0), NOW)).toMatchObject({ results: ["late"] });
    expect(await store.look([{ lane: gateway, id: `close:${ONE}` }])).toEqual(["in_flight"]);
    expect(close.attempt).toBe(1);
  });
});

onEach("sweeping the lanes", engines, ({ store, twice, raw }) => {
  const index = async (lane: string) => {
    const score = await raw("ZSCORE", keys.lanes(lane), lane);
    return score === null ? undefined : Number(score);
  };

  it("[I2] wakes a lane that is due and asleep, once a minute", async () => {
    await store.tell(n, "a", ["alpha"], NOW);
    const [first, second] = await twice(() => store.sweep([alpha], NOW));
    expect([first, second]).toEqual([[alpha], []]);
    expect(await store.sweep([alpha], NOW + AWAKE_MS - 1)).toEqual([]);
    expect(await store.sweep([alpha], NOW + AWAKE_MS)).toEqual([alpha]);
  });

  it("leaves a lane alone that a claim keeps awake", async () => {
    await store.tell(n, "a", ["alpha"], NOW);
    await store.tell(n, "b", ["alpha"], NOW);
    await claimed(store, alpha, "token", { most: 1 });
    expect(await store.sweep([alpha], NOW + SECOND)).toEqual([]);
  });

  it("brings the index up to the time at which something is due", async () => {
    await store.tell(n, "a", ["alpha"], NOW);
    await claimed(store, alpha, "token");
    expect(await store.dueLanes(NOW, 10)).toEqual([alpha]);
    const [first] = await twice(() => store.sweep([alpha], NOW));
    expect(first).toEqual([]);
    expect(await index(alpha)).toBe(NOW + LEASE);
    expect(await store.dueLanes(NOW + LEASE - 1, 10)).toEqual([]);
    expect(await store.dueLanes(NOW + LEASE, 10)).toEqual([alpha]);
  });

  it("[I2] finds an order that was added after the index had been raised", async () => {
    await store.tell(n, "a", ["alpha"], NOW);
    await claimed(store, alpha, "token");
    await store.sweep([alpha], NOW);
    await store.tell(n, "b", ["alpha"], NOW);
    expect(await store.dueLanes(NOW, 10)).toEqual([alpha]);
  });

  it("[I2] finds an order that came back earlier than the index says", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase")]);
    await claimed(store, alpha, "token");
    await store.sweep([alpha], NOW);
    const back = { token: "token", settlements: [goesBack(ONE, "alpha.erase", 1, { due: NOW + SECOND })] };
    await store.settleAndClaim(alpha, back, undefined, NOW);
    expect(await store.dueLanes(NOW + SECOND, 10)).toContain(alpha);
  });

  it("takes a lane without orders out of the index", async () => {
    await store.tell(n, "a", ["alpha"], NOW);
    await claimed(store, alpha, "token");
    await store.settleAndClaim(alpha, { token: "token", settlements: [drops("a", 1)] }, undefined, NOW);
    const [first] = await twice(() => store.sweep([alpha], NOW));
    expect(first).toEqual([]);
    expect(await index(alpha)).toBeUndefined();
  });

  it("lets a paused lane rest, and finds it when the pause ends", async () => {
    await store.tell(n, "a", ["alpha"], NOW);
    await claimed(store, alpha, "token");
    const settle = { token: "token", settlements: [drops("a", 1)], pauseUntil: NOW + HOUR };
    await store.settleAndClaim(alpha, settle, undefined, NOW);
    await store.tell(n, "b", ["alpha"], NOW);
    const [first] = await twice(() => store.sweep([alpha], NOW));
    expect(first).toEqual([]);
    expect(await index(alpha)).toBe(NOW + HOUR);
    expect(await store.sweep([alpha], NOW + HOUR)).toEqual([alpha]);
  });

  it("[I2] finds every due lane, whichever shard of the index it is in", async () => {
    const names = Array.from({ length: 24 }, (_, at) => `s${at}`);
    await store.tell(n, "a", names, NOW);
    const lanes = names.map((name) => laneName(n, name));
    expect(new Set(lanes.map((lane) => keys.lanes(lane))).size).toBe(SHARDS);
    expect((await store.dueLanes(NOW, 50)).toSorted()).toEqual(lanes.toSorted());
    expect(await store.dueLanes(NOW - 1, 50)).toEqual([]);
    expect((await store.sweep(await store.dueLanes(NOW, 50), NOW)).toSorted()).toEqual(lanes.toSorted());
  });

  it("bounds what one sweep looks at, the longest due first", async () => {
    const names = Array.from({ length: 24 }, (_, at) => `s${at}`);
    for (const [at, name] of names.entries()) await store.tell(n, "a", [name], NOW + at);
    const due = await store.dueLanes(NOW + HOUR, 1);
    expect(due).toHaveLength(SHARDS);
    const shards = Map.groupBy(names, (name) => keys.lanes(laneName(n, name)));
    expect(due.toSorted()).toEqual([...shards.values()].map(([first = ""]) => laneName(n, first)).toSorted());
  });

  it("tells a lane once however often it is said, and leaves it asleep for the sweep", async () => {
    await twice(() => store.tell(n, "notice", ["alpha", "beta"], NOW));
    expect(await raw("HGET", laneKeys(alpha)[1], "~a")).toBeNull();
    expect((await store.sweep([alpha, beta], NOW)).toSorted()).toEqual([alpha, beta].toSorted());
    expect(await claimed(store, beta, "token")).toMatchObject([{ id: "notice", payload: "" }]);
  });

  it("[I1] keeps a call that a delivery asks for once, wakes its lane, and leaves alone what waits or is worked on", async () => {
    const asked = { order: "confirm:events:abc", payload: '{"deadline":1}', deadline: NOW + HOUR };
    expect(await twice(() => store.askFor(n, "alpha", asked, NOW))).toEqual([true, false]);
    const [order] = await claimed(store, alpha, "token");
    expect(order).toMatchObject({ id: asked.order, payload: asked.payload, attempt: 1 });
    expect(await store.askFor(n, "alpha", { ...asked, payload: "another" }, NOW)).toBe(false);
    const settlements: readonly Settlement[] = [
      { id: asked.order, attempt: 1, deadline: asked.deadline, what: "back", due: NOW + MINUTE, cursor: "1" },
    ];
    await store.settleAndClaim(alpha, { token: "token", settlements }, undefined, NOW);
    expect(await store.askFor(n, "alpha", asked, NOW)).toBe(false);
    expect(await raw("ZSCORE", laneKeys(alpha)[0], asked.order)).toBe(String(NOW + MINUTE));
    expect(await store.order(alpha, asked.order)).toEqual({ payload: asked.payload, cursor: "1" });
  });

  it("says where orders are: in flight, waiting or missing", async () => {
    await store.tell(n, "a", ["alpha"], NOW);
    await claimed(store, alpha, "token");
    await store.tell(n, "b", ["alpha"], NOW);
    const looked = await store.look(["a", "b", "c"].map((id) => ({ lane: alpha, id })));
    expect(looked).toEqual(["in_flight", "waiting", "missing"]);
    expect(await store.look([])).toEqual([]);
  });
});
