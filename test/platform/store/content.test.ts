import fc from "fast-check";
import { expect, it } from "vitest";
import { laneName } from "../../../src/platform/keys.ts";
import { CONTENT_ORDER } from "../../../src/platform/scripts/content.ts";
import type { Asking } from "../../../src/platform/store/content.ts";
import type { NewContent } from "../../../src/platform/store/new-content.ts";
import { createStore, type Store } from "../../../src/platform/store.ts";
import { alpha, beta, claimedOne, DAY, founded, gateway, HOUR, idOf, MINUTE, NOW, n, request } from "../samples.ts";
import { engines, holding, onEach, repeating } from "../stand.ts";

const chunk = (id: string, items = 1) => ({ id, items, wrapped: `key-of-${id}`, sealed: `sealed-${id}` });

const content = (
  chunks: readonly ReturnType<typeof chunk>[],
  more: Partial<NewContent> & { readonly whom?: readonly string[] } = {},
): NewContent => {
  const { whom = ["alpha"], ...rest } = more;
  return {
    n,
    version: "1",
    now: NOW,
    source: "posts/events",
    delivery: chunks.map(({ id }) => id).join(" "),
    items: chunks.reduce((all, { items }) => all + items, 0),
    told: whom.map((subprocessor) => ({ subprocessor, chunks })),
    ...rest,
  };
};

const put = async (store: Store, ...given: Parameters<typeof content>) =>
  (await store.recordDelivery([], content(...given))).content;

/** The order as a run holds it, and what that run asks. */
const asks = async (store: Store, { lane = alpha, token = "run-1", now = NOW } = {}) => {
  const { attempt } = await claimedOne(store, lane, CONTENT_ORDER, token, now);
  return (more: Partial<Asking> = {}): Asking => ({ token, attempt, batch: `batch-${token}`, most: 1000, ...more });
};

onEach("deleted content", engines, ({ store, twice, state, raw, age, roundTrips }) => {
  const waits = async (subprocessor = "alpha") =>
    (await store.contentCounts(n, [subprocessor], 1, NOW)).waiting[0] ?? { items: -1, since: 0 };
  const counts = async (now = NOW) => (await store.contentCounts(n, [], 1, now)).days[0];
  const next = (asking: Asking, now = NOW) => store.nextContent(n, "alpha", asking, now);
  const chunksOf = async (asking: Asking, now = NOW) => {
    const got = await next(asking, now);
    return got.state === "batch" ? got.chunks.map(({ id }) => id) : got.state;
  };

  it("[I1] makes requests and content of one delivery durable in one round trip, all or nothing", async () => {
    await founded(store);
    const requests = [request(idOf("one")), request(idOf("two"))];
    await store.recordDelivery(requests, content([chunk("warm")]));
    const before = roundTrips();
    const both = await store.recordDelivery(requests, content([chunk("c1", 1000)], { whom: ["alpha", "beta"] }));
    expect(roundTrips() - before).toBe(1);
    expect(both.recorded.map(({ result }) => result)).toEqual(["duplicate", "duplicate"]);
    expect(both.content).toEqual({ result: "kept", woken: [beta] });
    expect(await waits("beta")).toEqual({ items: 1000, since: NOW });
    const old = await store.recordDelivery(
      [request(idOf("three"), { version: "0" })],
      content([chunk("c2")], { version: "0" }),
    );
    expect([old.recorded[0]?.result, old.content.result]).toEqual(["stale", "stale"]);
    expect(await state()).not.toHaveProperty(`r:${n}:${idOf("three")}`);
    expect(await waits("beta")).toEqual({ items: 1000, since: NOW });
  });

  it("[I3] keeps and counts a delivery once while it waits, whoever repeats it, and wakes a lane once", async () => {
    await founded(store);
    const [first, second] = await twice(() => store.recordDelivery([], content([chunk("c1", 3), chunk("c2", 2)])));
    expect(first.content).toEqual({ result: "kept", woken: [alpha] });
    expect(second.content).toEqual({ result: "repeated", woken: [] });
    expect(await waits()).toEqual({ items: 5, since: NOW });
    expect(await counts()).toMatchObject({ "in posts/events": "5" });
    expect(await put(store, [chunk("c2", 2), chunk("c3", 1)], { now: NOW + HOUR })).toMatchObject({ result: "kept" });
    expect(await waits(), "only what is new").toEqual({ items: 6, since: NOW });
  });

  it("counts what nobody is told of, once a delivery, and keeps none of it", async () => {
    await founded(store);
    await twice(() => store.recordDelivery([], content([chunk("c1", 4)], { whom: [], items: 4 })));
    await put(store, [chunk("c2", 2)], { whom: [] });
    expect(await counts()).toMatchObject({ "in posts/events": "6" });
    expect(holding(await state(), /sealed-|key-of-/)).toEqual([]);
  });

  it("[I3 I2] fixes a batch under its id until it was sent, and leaves what came meanwhile", async () => {
    await founded(store);
    await put(store, [chunk("c1", 600), chunk("c2", 400), chunk("c3", 1)]);
    const ask = await asks(store);
    const [first] = await twice(() => next(ask()));
    expect(first).toMatchObject({ state: "batch", batch: "batch-run-1", madeAt: NOW, waiting: 1001, since: NOW });
    await put(store, [chunk("c4", 5)], { now: NOW + MINUTE });
    expect(await chunksOf(ask({ batch: "another" }))).toEqual(["c1", "c2"]);
    const [rest, repeated] = await twice(() =>
      next(ask({ sent: { batch: "batch-run-1", unread: 0 }, batch: "second" })),
    );
    expect(rest).toMatchObject({ state: "batch", batch: "second", waiting: 6, givenUp: 0 });
    expect(repeated).toEqual(rest);
    expect(rest.state === "batch" && rest.chunks).toEqual([chunk("c3"), chunk("c4", 5)]);
    expect(await counts()).toMatchObject({ "told alpha": "1000" });
    expect(holding(await state(), /sealed-c1|key-of-c1/), "with its key").toEqual([]);
  });

  it("[I2] lets another run repeat the batch of one that was lost, and that one's late word ends it once", async () => {
    await founded(store);
    await put(store, [chunk("c1", 2)]);
    const lost = await asks(store);
    await next(lost());
    const later = NOW + 3 * MINUTE;
    const ask = await asks(store, { token: "run-2", now: later });
    expect(await next(ask(), later)).toMatchObject({ state: "batch", batch: "batch-run-1" });
    await put(store, [chunk("c2")], { now: later });
    expect((await next(lost({ sent: { batch: "batch-run-1", unread: 0 } }), later)).state).toBe("late");
    expect(await next(ask({ sent: { batch: "batch-run-1", unread: 0 } }), later)).toMatchObject({
      state: "batch",
      batch: "batch-run-2",
      waiting: 1,
    });
    expect(await counts()).toMatchObject({ "told alpha": "2" });
  });

  it("[I2] ends the order with the last item, in one step, and whatever comes afterwards has one again", async () => {
    await founded(store);
    await put(store, [chunk("c1")]);
    const ask = await asks(store);
    await next(ask());
    const [ended] = await twice(() => next(ask({ sent: { batch: "batch-run-1", unread: 0 } })));
    expect(ended).toEqual({ state: "none", givenUp: 0 });
    expect(await state()).not.toHaveProperty(`v:${n}:alpha`);
    expect(await store.look([{ lane: alpha, id: CONTENT_ORDER }])).toEqual(["missing"]);
    await put(store, [chunk("c2")], { now: NOW + SECONDS });
    const again = await asks(store, { token: "run-3", now: NOW + SECONDS });
    // The settle of the run that ended it comes too late for the new order.
    const dropped = { id: CONTENT_ORDER, attempt: 1, deadline: 0, what: "drop" as const };
    const { settled } = await store.settleAndClaim(alpha, { token: "run-1", settlements: [dropped] }, undefined, NOW);
    expect(settled?.results).toEqual(["late"]);
    expect(await chunksOf(again(), NOW + SECONDS)).toEqual(["c2"]);
  });

  it("[I2] leaves an order that waits after a failure in its place, and one that is being worked on with who has it", async () => {
    await founded(store);
    await put(store, [chunk("c1")]);
    const ask = await asks(store);
    await put(store, [chunk("c2")]);
    expect(await chunksOf(ask()), "its token still counts").toEqual(["c1", "c2"]);
    const back = {
      id: CONTENT_ORDER,
      attempt: 1,
      deadline: NOW + 31 * DAY,
      what: "back" as const,
      due: NOW + HOUR,
      cursor: "1",
    };
    await store.settleAndClaim(alpha, { token: "run-1", settlements: [back], release: "run" }, undefined, NOW);
    expect(await put(store, [chunk("c3")])).toEqual({ result: "kept", woken: [] });
    expect(await raw("ZSCORE", `l:${n}:alpha`, CONTENT_ORDER)).toBe(String(NOW + HOUR));
    expect(await store.sweep([alpha], NOW + HOUR + MINUTE)).toEqual([alpha]);
    const order = await claimedOne(store, alpha, CONTENT_ORDER, "run-2", NOW + HOUR + MINUTE);
    expect(order).toMatchObject({ attempt: 2, cursor: "1" });
  });

  it("wakes a lane that fell asleep over a ready order", async () => {
    await founded(store);
    await put(store, [chunk("c1")]);
    expect(await put(store, [chunk("c2")], { now: NOW + 2 * MINUTE })).toEqual({ result: "kept", woken: [alpha] });
  });

  it("comes after a right of the same day, and before one that is received a day later", async () => {
    await founded(store);
    await put(store, [chunk("c1")]);
    await store.recordDelivery([request(idOf("right"))], content([chunk("c2")], { whom: ["gateway"] }));
    const { claim } = await store.settleAndClaim(
      gateway,
      undefined,
      { token: "t", most: 9, leaseUntil: NOW + MINUTE, run: "run" },
      NOW,
    );
    expect(claim?.state === "batch" && claim.orders.map(({ id }) => id)).toEqual([
      `start:${idOf("right")}`,
      CONTENT_ORDER,
    ]);
  });

  it("[I12] gives up what nobody could be told of for thirty days, counts it, and forgets all after forty", async () => {
    await founded(store);
    await put(store, [chunk("c1", 7)]);
    await put(store, [chunk("c2", 2)], { now: NOW + DAY });
    const ask = await asks(store);
    await next(ask());
    const late = NOW + 30 * DAY + HOUR;
    const again = await asks(store, { token: "run-2", now: late });
    const [left] = await twice(() => next(again({ most: 0 }), late));
    expect(left).toEqual({ state: "left", givenUp: 7, waiting: 2, since: NOW + DAY });
    expect(await next(again(), late)).toMatchObject({ state: "batch", batch: "batch-run-1", chunks: [{ id: "c2" }] });
    expect(await counts(late)).toMatchObject({ "up alpha": "7" });
    await age(40 * DAY + 1);
    expect(Object.keys(await state()).filter((key) => key.startsWith("v"))).toEqual([]);
    expect(await next(again(), late), "and the order goes, too").toEqual({ state: "none", givenUp: 0 });
  });

  it("[I7] counts what could not be read as given up", async () => {
    await founded(store);
    await put(store, [chunk("c1", 7), chunk("c2", 3)]);
    const ask = await asks(store);
    await next(ask());
    await next(ask({ sent: { batch: "batch-run-1", unread: 3 } }));
    expect(await counts()).toMatchObject({ "told alpha": "7", "up alpha": "3" });
  });

  it("[I10] hands out at most a thousand items, in the order in which they came, in few commands", async () => {
    await founded(store);
    for (let from = 0; from < 1500; from += 500)
      await put(
        store,
        Array.from({ length: 500 }, (_, at) => chunk(`c${from + at}`)),
      );
    await put(store, [chunk("big", 1000)]);
    const ask = await asks(store);
    const first = await chunksOf(ask());
    expect(first).toEqual(Array.from({ length: 1000 }, (_, at) => `c${at}`));
    const sent = (batch: string, then: string) => ask({ sent: { batch, unread: 0 }, batch: then });
    expect(await chunksOf(sent("batch-run-1", "b2"))).toHaveLength(500);
    expect(await chunksOf(sent("b2", "b3"))).toEqual(["big"]);
    expect(await next(sent("b3", "b4"))).toEqual({ state: "none", givenUp: 0 });
    expect(await counts()).toMatchObject({ "told alpha": "2500" });
  });

  it("[I6] keeps subprocessors and tenants apart", async () => {
    await founded(store);
    await put(store, [chunk("c1")], { whom: ["alpha", "beta"] });
    const ask = await asks(store);
    await next(ask());
    await next(ask({ sent: { batch: "batch-run-1", unread: 0 } }));
    expect([await waits("alpha"), await waits("beta")]).toEqual([
      { items: 0, since: 0 },
      { items: 1, since: NOW },
    ]);
    expect(laneName(n, "beta")).toBe(beta);
  });
});

const SECONDS = 5000;

/** What may happen to a queue and to those who work on it. */
const happenings = fc.array(
  fc.oneof(
    fc.record({ what: fc.constant("push" as const), chunks: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ what: fc.constant("repeat" as const) }),
    fc.record({ what: fc.constant("claim" as const) }),
    fc.record({ what: fc.constant("ask" as const), who: fc.nat(3), lost: fc.boolean() }),
    fc.record({ what: fc.constant("fail" as const), who: fc.nat(3) }),
    fc.record({ what: fc.constant("pass" as const), seconds: fc.integer({ min: 1, max: 150 }) }),
  ),
  { minLength: 10, maxLength: 40 },
);

type Runner = { readonly token: string; readonly attempt: number; sent?: string };

onEach("anything that may happen to deleted content", engines.slice(0, 1), ({ client, store, flush }) => {
  it("[I2 I3] tells each item, in one batch and no other, and leaves nothing behind", async () => {
    fc.configureGlobal({ seed: 20_261_122 });
    await fc.assert(
      fc.asyncProperty(happenings, fc.infiniteStream(fc.boolean()), async (events, draws) => {
        await flush();
        const unlucky = createStore(repeating(client, () => draws.next().value === true));
        await founded(store);
        const pushed: string[] = [];
        const told = new Map<string, Set<string>>();
        let runners: Runner[] = [];
        let now = NOW;
        let serial = 0;
        const push = (ids: readonly string[]) =>
          put(
            unlucky,
            ids.map((id) => chunk(id)),
            { now },
          );
        const claim = async () => {
          const token = `run-${serial++}`;
          const { claim: got } = await unlucky.settleAndClaim(
            alpha,
            undefined,
            { token, most: 9, leaseUntil: now + 2 * MINUTE, run: token },
            now,
          );
          if (got?.state === "batch") runners.push(...got.orders.map(({ attempt }): Runner => ({ token, attempt })));
        };
        /** Says what was sent, and sends what it is given; a call is made whether or not anybody remembers. */
        const ask = async (runner: Runner, lost: boolean) => {
          const { token, attempt, sent } = runner;
          const fresh = `batch-${serial++}`;
          const asking = {
            token,
            attempt,
            batch: fresh,
            most: 4,
            ...(sent !== undefined && { sent: { batch: sent, unread: 0 } }),
          };
          const got = await unlucky.nextContent(n, "alpha", asking, now);
          if (got.state !== "batch") {
            runners = runners.filter((each) => each !== runner);
            return;
          }
          for (const { id } of got.chunks) told.set(id, (told.get(id) ?? new Set()).add(got.batch));
          if (lost) runners = runners.filter((each) => each !== runner);
          else runner.sent = got.batch;
        };
        for (const event of events) {
          if (event.what === "push") {
            const ids = Array.from({ length: event.chunks }, () => `c${serial++}`);
            pushed.push(...ids);
            await push(ids);
          }
          const last = pushed.at(-1);
          // Repeated once it was told, it would be told once more.
          if (event.what === "repeat" && last !== undefined && !told.has(last)) await push([last]);
          if (event.what === "claim") await claim();
          const runner = "who" in event ? runners[event.who % runners.length] : undefined;
          if (event.what === "ask" && runner !== undefined) await ask(runner, event.lost);
          if (event.what === "fail" && runner !== undefined) {
            const back = { id: CONTENT_ORDER, attempt: runner.attempt, deadline: now, what: "back" as const };
            const settlements = [{ ...back, due: now + MINUTE, cursor: "1" }];
            await unlucky.settleAndClaim(alpha, { token: runner.token, settlements }, undefined, now);
            runners = runners.filter((each) => each !== runner);
          }
          if (event.what === "pass") now += event.seconds * 1000;
        }
        for (let turn = 0; turn < 40; turn++) {
          now += 3 * MINUTE;
          runners = [];
          await claim();
          for (let runner = runners[0]; runner !== undefined; runner = runners[0]) await ask(runner, false);
        }
        expect([...told.keys()].toSorted()).toEqual(pushed.toSorted());
        expect([...told].filter(([, batches]) => batches.size > 1)).toEqual([]);
        expect((await store.contentCounts(n, ["alpha"], 2, now)).waiting).toEqual([{ items: 0, since: 0 }]);
        expect(await store.look([{ lane: alpha, id: CONTENT_ORDER }])).toEqual(["missing"]);
      }),
      { numRuns: 25 },
    );
  });
});
