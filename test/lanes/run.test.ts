import { describe, expect, it } from "vitest";
import { at, del, get } from "../../src/contract/call.ts";
import { erased } from "../../src/contract/outcome.ts";
import { BATCH, LEASE_MARGIN_MS, LEASE_MS, MOST_BATCH, RUN_MS, sizer, stepBatch } from "../../src/lanes/lane.ts";
import { run } from "../../src/lanes/run.ts";
import type { Claim, Claiming, LaneStore, Settle } from "../../src/platform/store/lanes.ts";
import type { Context } from "../../src/registry/load.ts";
import { type Answered, bench, bulk, entry, LANE, NOW, single, TIMED_OUT, taskOf } from "./samples.ts";

type Round = { readonly settle: Settle | undefined; readonly claim: Claiming | undefined };

/** A lane that hands out what the test says, and remembers what it was told. */
async function lane(setup: Parameters<typeof bench>[0] = {}) {
  const rounds: Round[] = [];
  let claims: readonly Claim[] = [];
  const settleAndClaim: LaneStore["settleAndClaim"] = async (_, settle, claim) => {
    rounds.push({ settle, claim });
    const [next = { state: "none" as const }, ...rest] = claims;
    if (claim !== undefined) claims = rest;
    const settled = settle && { results: settle.settlements.map(() => "applied" as const), woken: ["1:next"] };
    return { settled, claim: claim && next };
  };
  const at = await bench({ ...setup, lanes: { settleAndClaim } });
  const batch = async (...names: readonly string[]): Promise<Claim> => ({
    state: "batch",
    orders: await Promise.all(names.map((name) => at.order(name))),
    frozen: undefined,
  });
  return {
    at,
    rounds,
    batch,
    run: (given: readonly Claim[], answers: readonly Answered[] = [], until = NOW + 10 * RUN_MS) => {
      claims = given;
      at.answers(...answers);
      return run(at.ports, LANE, until);
    },
  };
}

describe("a run", () => {
  it("settles one batch and claims the next in one round trip, under one name and new tokens", async () => {
    const { run, rounds, batch } = await lane();
    const ran = await run([await batch("aa"), await batch("bb")], [{ status: 204 }, { status: 204 }]);
    expect(ran).toEqual({ ended: "empty", woken: ["1:next"] });
    expect(rounds).toHaveLength(3);
    expect(new Set(rounds.map(({ claim }) => claim?.run)).size).toBe(1);
    expect(new Set(rounds.map(({ claim }) => claim?.token)).size).toBe(3);
    expect(rounds[1]?.settle?.token).toBe(rounds[0]?.claim?.token);
    expect(rounds[0]?.claim).toMatchObject({ most: BATCH, leaseUntil: NOW + LEASE_MS });
  });

  it.each(["busy", "full"] as const)("ends where the lane is %s, and works nothing", async (state) => {
    const { run, rounds, at } = await lane();
    expect(await run([{ state }])).toEqual({ ended: state, woken: [] });
    expect(rounds).toHaveLength(1);
    expect(at.calls).toEqual([]);
  });

  it("lets go of the lane with the settle that makes it rest", async () => {
    const { run, rounds, batch, at } = await lane();
    const rest = { status: 429, headers: { "retry-after": "60" } };
    expect(await run([await batch("aa", "bb")], [rest])).toMatchObject({ ended: "paused" });
    const [first, last] = rounds;
    expect(last).toEqual({
      claim: undefined,
      settle: expect.objectContaining({ pauseUntil: NOW + 60_000, release: first?.claim?.run }),
    });
    expect(last?.settle).not.toHaveProperty("account");
    expect(at.events).toContain("lane_paused acme");
  });

  it("lets go of the lane when its time is up", async () => {
    const { run, rounds, batch, at } = await lane();
    const { send } = at.ports;
    const slow: typeof send = (call) => {
      at.pass(RUN_MS);
      return send(call);
    };
    Object.assign(at.ports, { send: slow });
    expect(await run([await batch("aa")], [{ status: 204 }])).toMatchObject({ ended: "time" });
    expect(rounds[1]?.settle).toMatchObject({ release: rounds[0]?.claim?.run });
    expect(rounds[1]?.claim).toBeUndefined();
  });

  it("[I2] settles what it did, and lets go, when the tenant cannot be found any more", async () => {
    const { run, rounds, batch, at } = await lane();
    let loads = 0;
    const byNumber = async () => (loads++ === 0 ? at.context : undefined);
    Object.assign(at.ports, { tenants: { ...at.ports.tenants, byNumber } });
    expect(await run([await batch("aa")], [{ status: 204 }])).toMatchObject({ ended: "empty" });
    expect(rounds[1]).toMatchObject({ claim: undefined, settle: { settlements: [{ what: "end" }] } });
    expect(rounds[1]?.settle?.release).toBe(rounds[0]?.claim?.run);
  });

  it("claims nothing of a tenant that is not there", async () => {
    const { run, rounds, at } = await lane();
    Object.assign(at.ports, { tenants: { ...at.ports.tenants, byNumber: async () => undefined } });
    expect(await run([])).toEqual({ ended: "empty", woken: [] });
    expect(rounds).toEqual([{ settle: undefined, claim: undefined }]);
  });

  it("claims as much at once as a holder takes in one call, and an answer of the store bears", async () => {
    for (const [most, claimed] of [
      [3, BATCH],
      [120, 120],
      [5000, MOST_BATCH],
    ] as const) {
      const { run, rounds } = await lane({ erase: bulk({ most }) });
      await run([]);
      expect(rounds[0]?.claim?.most).toBe(claimed);
    }
  });

  it("claims next what the holder gets through in some seconds, at the pace of the batch before", async () => {
    const { run, rounds, batch, at } = await lane();
    const { send } = at.ports;
    let ms = 100;
    const paced: typeof send = (call) => {
      at.pass(ms);
      ms += 900;
      return send(call);
    };
    Object.assign(at.ports, { send: paced });
    const given = [await batch("aa"), await batch("bb"), await batch("cc")];
    await run(given, [{ status: 204 }, { status: 204 }, { status: 204 }]);
    expect(rounds.map(({ claim }) => claim?.most)).toEqual([BATCH, 200, BATCH, BATCH]);
  });

  it("claims no more than a bulk call takes, once some went back for that", async () => {
    const { run, rounds, batch, at } = await lane({ erase: bulk({ most: 60 }) });
    const names = (count: number) => Array.from({ length: count }, (_, nth) => `p${nth}`);
    const done = (count: number): Answered => ({ status: 200, body: names(count).map(() => 204) });
    await run(
      [await batch(...names(60)), await batch(...names(90)), await batch(...names(60))],
      [done(60), done(60), done(60)],
    );
    expect(rounds.map(({ claim }) => claim?.most)).toEqual([60, MOST_BATCH, 60, 60]);
    expect(at.frozen.map(({ members }) => members.length)).toEqual([60, 60, 60]);
  });

  it("[I2] keeps a batch's calls far from its lease's end, however fast the one before was", () => {
    const size = sizer(BATCH);
    size.note({ claimed: BATCH, left: 0, tookMs: 0 });
    expect(size.most()).toBe(MOST_BATCH);
    size.note({ claimed: 100, left: 0, tookMs: 40_000 });
    expect(size.most()).toBe(BATCH);
    for (const tookMs of [1, 500, 5_000, 19_000]) {
      size.note({ claimed: 50, left: 0, tookMs });
      const wouldTake = (size.most() * tookMs) / 50;
      expect(wouldTake).toBeLessThan((LEASE_MS - LEASE_MARGIN_MS) / 5);
    }
  });

  it("starts fewer requests at once the more holders each has", () => {
    expect([0, 4, 20, 100, 9999].map(stepBatch)).toEqual([MOST_BATCH, MOST_BATCH, 125, 25, 1]);
  });
});

describe("a run of a lane that shares its vendor account", () => {
  const shared = async (setup: Parameters<typeof bench>[0] = {}) => {
    const made = await lane({ ...setup, limits: { connections: 1, account: { settings: ["apiKey"] } } });
    const { context } = made.at;
    const subprocessors = { acme: entry("acme"), twin: entry("twin", { integration: "acme" }) };
    const both: Context = { ...context, tenant: { ...context.tenant, subprocessors }, secrets: async () => ["key"] };
    const tenants = { ...made.at.ports.tenants, byNumber: async () => both };
    Object.assign(made.at.ports, { tenants });
    return made;
  };

  it("[I10] claims with the account's name, and rests with it when the holder asks for rest", async () => {
    const { run, rounds, batch } = await shared();
    await run([await batch("aa")], [{ status: 429 }]);
    const account = rounds[0]?.claim?.account;
    expect(account).toMatch(/^[a-z2-7]{32}$/);
    expect(rounds[1]?.settle).toMatchObject({ account });
  });

  it("[I10] opens the circuit for all of it after two time-outs", async () => {
    const { run, rounds, batch } = await shared();
    await run([await batch("aa", "bb", "cc")], [TIMED_OUT, TIMED_OUT]);
    expect(rounds[1]?.settle).toMatchObject({ account: rounds[0]?.claim?.account, pauseUntil: NOW + 60_000 });
  });

  it("waits by itself before a bulk batch is repeated", async () => {
    const { run, rounds, batch, at } = await shared({ erase: bulk() });
    await run([await batch("aa")], [TIMED_OUT]);
    const settle = rounds[1]?.settle;
    expect(settle?.pauseUntil).toBeGreaterThan(NOW);
    expect(settle).not.toHaveProperty("account");
    expect(settle).not.toHaveProperty("thaws");
    expect(settle?.release).toBe(rounds[0]?.claim?.run);
    expect(at.frozen).toHaveLength(1);
  });

  it("says which batch is over, with the settle", async () => {
    const { run, rounds, batch, at } = await shared({ erase: bulk() });
    await run([await batch("aa")], [{ status: 200, body: [204] }]);
    expect(rounds[1]?.settle).toMatchObject({ thaws: at.frozen[0]?.id });
  });
});

describe("a vendor's daily quota", () => {
  const perDay = { calls: 5, resets: "UTC", source: "https://acme.example/limits" };
  const limits = { connections: 1, perDay };
  /** A batch with its share of calls. */
  const sharing = (claim: Claim, calls: number): Claim => (claim.state === "batch" ? { ...claim, calls } : claim);
  const spendingOf = (round: Round | undefined) => round?.claim?.spending ?? round?.settle?.spent;

  it("bounds the calls of a batch by its share, sends the rest back as it is, and says what was made", async () => {
    const { run, rounds, batch, at } = await lane({ limits });
    const first = sharing(await batch("aa", "bb", "cc"), 2);
    const ran = await run(
      [first, { state: "paused", until: NOW + 1, isSpent: true }],
      [{ status: 204 }, { status: 204 }],
    );
    expect(ran.ended).toBe("paused");
    expect(at.calls).toHaveLength(2);
    expect(rounds.map(spendingOf)).toMatchObject([
      { account: "acme", day: "2026-11-21", allowed: 5, made: 0, ends: Date.parse("2026-11-22T00:00:00Z") },
      { made: 2 },
    ]);
    expect(rounds[1]?.settle?.settlements.map(({ what }) => what)).toEqual(["end", "end", "back"]);
    expect(at.events).toContain("lane_at_quota acme");
  });

  it("is no failure for an order that needs more than is left, and its next share is as large as can be", async () => {
    const two = single({
      *run({ identity }) {
        const contact = at`https://api.acme.example/contacts/${{ contact: identity.value }}`;
        yield get(contact, {});
        yield del(contact, {});
        return erased;
      },
    });
    const { run, rounds, batch, at: bed } = await lane({ limits, erase: two });
    const again = await batch("aa");
    const ran = await run([sharing(again, 1), sharing(again, 4)], [{ status: 200 }, { status: 200 }, { status: 204 }]);
    expect(ran.ended).toBe("empty");
    expect(bed.calls).toHaveLength(3);
    expect(rounds[1]?.settle?.settlements).toMatchObject([{ what: "back", due: NOW }]);
    expect(taskOf(rounds[1]?.settle?.settlements[0])).toMatchObject({
      state: "queued",
      reason: expect.stringContaining("no more calls today"),
    });
    expect(spendingOf(rounds[1])).toMatchObject({ made: 1, wanted: Number.MAX_SAFE_INTEGER });
    expect(spendingOf(rounds[2])).toMatchObject({ made: 3 });
  });

  it("asks nothing of the store where there is none", async () => {
    const { run, rounds, batch } = await lane();
    await run([await batch("aa")], [{ status: 204 }]);
    expect(rounds.map(spendingOf)).toEqual([undefined, undefined]);
  });
});
