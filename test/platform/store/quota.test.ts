import { expect, it } from "vitest";
import type { RequestId } from "../../../src/ids.ts";
import { keys, laneName } from "../../../src/platform/keys.ts";
import type { Settle, Spending } from "../../../src/platform/store/lanes.ts";
import {
  alpha,
  claimedOne,
  DAY,
  drops,
  founded,
  gateway,
  LEASE,
  MINUTE,
  NOW,
  n,
  ONE,
  opened,
  opening,
  request,
  TWO,
  task,
} from "../samples.ts";
import { engines, onEach } from "../stand.ts";

const beta = laneName(n, "beta");
const spending = (more: Partial<Spending> = {}): Spending => ({
  account: "alpha",
  day: "2026-11-21",
  allowed: 10,
  made: 0,
  wanted: 4,
  ends: NOW + 5 * MINUTE,
  ...more,
});
const DAY_OF = keys.quota(n, "alpha", "2026-11-21");

onEach("a day's calls", engines, ({ store, twice, raw }) => {
  const tell = (...lanes: readonly string[]) => store.tell(n, "notice", lanes, NOW);
  const claim = (run: string, more: Partial<Spending> = {}, lane = alpha, settle?: Settle) =>
    store
      .settleAndClaim(
        lane,
        settle,
        { token: `${run}-${more.made ?? 0}`, most: 50, leaseUntil: NOW + LEASE, run, spending: spending(more) },
        NOW,
      )
      .then((answer) => answer.claim);
  const letGo = (run: string, made: number, lane = alpha) =>
    store.settleAndClaim(
      lane,
      { token: "x", settlements: [], release: run, spent: spending({ made }) },
      undefined,
      NOW,
    );

  it("[I10] are shared out with a claim, the same again when it is repeated", async () => {
    await tell("alpha");
    const answers = await twice(() => claim("one"));
    for (const answer of answers) expect(answer).toMatchObject({ state: "batch", calls: 4 });
    expect(await raw("HGETALL", DAY_OF)).toEqual(["one", "4"]);
    const [, ms] = [0, Number(await raw("PTTL", DAY_OF))];
    expect(ms).toBeGreaterThan(5 * MINUTE);
    expect(ms).toBeLessThanOrEqual(DAY + 5 * MINUTE);
  });

  it("count what was really made with the next claim, and what is left goes to whoever comes", async () => {
    await tell("alpha", "beta");
    await claim("one");
    expect(await claim("two", {}, beta)).toMatchObject({ calls: 4 });
    await store.tell(n, "more", ["alpha"], NOW);
    // One call of four was made: seven are left of ten, less the other's four.
    const settle = { token: "one-0", settlements: [drops("notice", 1)] };
    expect(await claim("one", { made: 1, wanted: 100 }, alpha, settle)).toMatchObject({ state: "batch", calls: 5 });
    expect(await raw("HGETALL", DAY_OF)).toEqual(["one", "6", "two", "4"]);
  });

  it("[I10] make the lane rest until the day ends, once there are none", async () => {
    await tell("alpha", "beta");
    await claim("one", { wanted: 100 });
    const answers = await twice(() => claim("two", {}, beta));
    for (const answer of answers) expect(answer).toMatchObject({ state: "paused", until: NOW + 5 * MINUTE });
    expect(answers[0]).toMatchObject({ isSpent: true });
    expect(await raw("HGETALL", DAY_OF)).toEqual(["one", "10"]);
    const tomorrow = { day: "2026-11-22", ends: NOW + DAY };
    const next = await store.settleAndClaim(
      beta,
      undefined,
      { token: "t", most: 50, leaseUntil: NOW + LEASE, run: "two", spending: spending(tomorrow) },
      NOW + 5 * MINUTE,
    );
    expect(next.claim).toMatchObject({ state: "batch", calls: 4 });
  });

  it("come back where a run did not use them, whether it ends by a settle or finds nothing more; once", async () => {
    await tell("alpha", "beta");
    await claim("one", { wanted: 8 });
    await twice(() => letGo("one", 3));
    expect(await raw("HGETALL", DAY_OF)).toEqual(["ended", "3"]);
    await claim("two", { wanted: 7 }, beta);
    const settle = { token: "two-0", settlements: [drops("notice", 1)] };
    await twice(() => claim("two", { made: 2 }, beta, settle));
    expect(await raw("HGETALL", DAY_OF)).toEqual(["ended", "5"]);
  });

  it("stay taken where a run has died, so that no more is ever made than is allowed", async () => {
    await tell("alpha");
    await claim("one");
    const next = await store.settleAndClaim(
      alpha,
      undefined,
      { token: "t", most: 50, leaseUntil: NOW + 3 * LEASE, run: "two", spending: spending({ wanted: 100 }) },
      NOW + LEASE,
    );
    expect(next.claim).toMatchObject({ state: "batch", calls: 6 });
  });
});

onEach("counting a lane", engines, ({ store, raw }) => {
  it("tells, with the start itself, what is ready there until its deadline", async () => {
    await founded(store);
    const plan = [task("alpha.erase"), task("beta.erase")];
    await opened(store, ONE, plan, { deadline: NOW + DAY });
    await store.record([request(TWO)]);
    const start = await claimedOne(store, gateway, `start:${TWO}`, "starts");
    const answers = await store.open([
      opening(TWO, start, plan, { deadline: NOW + 2 * DAY, counts: ["alpha", "other"] }),
    ]);
    expect(answers).toMatchObject([{ result: "open", ahead: [2, 0] }]);
    expect(await store.ahead(n, ["alpha", "beta"], NOW + DAY)).toEqual([1, 1]);
    expect(await store.ahead(n, ["alpha"], NOW + 2 * DAY)).toEqual([2]);
    expect(await store.ahead(n, [], NOW)).toEqual([]);
  });

  it("notes on each request what stands in its way, and knows who was the first of a day to say so", async () => {
    const day = { account: "alpha", day: "2026-11-21", ends: NOW + MINUTE };
    const short = (id: RequestId) => ({ id, warnings: `["${id}"]` });
    expect(await store.warn(n, [short(ONE)], [day], NOW)).toEqual([true]);
    const both = [short(ONE), short(TWO)];
    expect(await store.warn(n, both, [day, { ...day, account: "beta" }], NOW)).toEqual([false, true]);
    for (const id of [ONE, TWO]) expect((await store.load([{ n, id }]))[0]).toMatchObject({ sh: `["${id}"]` });
    expect(Number(await raw("PTTL", DAY_OF))).toBeGreaterThan(DAY);
    const spending = { account: "alpha", day: "2026-11-21", allowed: 3, made: 0, wanted: 9, ends: NOW + MINUTE };
    await store.tell(n, "notice", ["alpha"], NOW);
    const claiming = { token: "t", most: 50, leaseUntil: NOW + LEASE, run: "run", spending };
    expect((await store.settleAndClaim(alpha, undefined, claiming, NOW)).claim, "it is no call").toMatchObject({
      calls: 3,
    });
  });
});
