import { expect, it } from "vitest";
import { keys, laneName } from "../../../src/platform/keys.ts";
import { laneKeys, RUNS_A_TENANT, type Settle } from "../../../src/platform/store/lanes.ts";
import {
  alpha,
  beta,
  claimed,
  claimedOne,
  DAY,
  drops,
  ends,
  founded,
  gateway,
  goesBack,
  idOf,
  LEASE,
  MINUTE,
  NOW,
  n,
  ONE,
  opened,
  opening,
  parks,
  request,
  SECOND,
  TWO,
  task,
} from "../samples.ts";
import { engines, onEach } from "../stand.ts";

const THREE = idOf("three");
const order = (id: string, name = "alpha.erase") => `${id}/${name}`;
const [, ORDERS] = laneKeys(alpha);

onEach("orders of one person", engines, ({ store, state, twice, raw }) => {
  const ada = { subject: "ada" };
  const begins = (id: typeof ONE, more = {}, tasks = [task("alpha.erase")]) =>
    opened(store, id, tasks, { ...ada, ...more });
  const party = async (name: string) => String((await raw("HGET", ORDERS, `${name}:j`)) ?? "");
  const ids = async (token: string, now = NOW, most = 50) =>
    (await claimed(store, alpha, token, { now, most })).map(({ id }) => id);

  it("[I3] are joined when the other has not been started, and the start may be repeated", async () => {
    await founded(store);
    await begins(ONE);
    await store.record([request(TWO)]);
    const start = await claimedOne(store, gateway, `start:${TWO}`, "starts");
    await twice(() => store.open([opening(TWO, start, [task("alpha.erase")], ada)]));
    expect(await party(order(ONE))).toBe(`${order(ONE)} ${order(TWO)}`);
    expect(await party(order(TWO))).toBe(`${order(ONE)} ${order(TWO)}`);
  });

  it("come in one batch, whichever is claimed, and the same batch again to the same token", async () => {
    await founded(store);
    await begins(ONE);
    await begins(TWO);
    const claim = { token: "token", most: 1, leaseUntil: NOW + LEASE, run: "run" };
    const [first, second] = await twice(() => store.settleAndClaim(alpha, undefined, claim, NOW));
    expect(second).toEqual(first);
    const joint = [order(ONE), order(TWO)];
    expect(first.claim).toMatchObject({
      orders: [
        { id: order(ONE), attempt: 1, joint },
        { id: order(TWO), attempt: 1, joint },
      ],
    });
  });

  it("come in one batch although they are large, which nobody else's large order does", async () => {
    const large = [task("alpha.erase", { payload: "x".repeat(1_200_000) })];
    await founded(store);
    await begins(ONE, {}, large);
    await begins(THREE, { subject: "bob", deadline: NOW + DAY }, large);
    await begins(TWO, { deadline: NOW + 2 * DAY }, large);
    const [ofBob, ...rest] = await ids("first");
    expect(ofBob, "the most urgent").toBe(order(THREE));
    expect(new Set(rest), "one more fits, and takes its twin along").toEqual(new Set([order(ONE), order(TWO)]));
  });

  it.each([
    ["another person's", { subject: "bob" }, [task("alpha.erase")]],
    ["another task's", ada, [task("alpha.revoke")]],
    ["the same task's in another lane", ada, [task("alpha.erase", { subprocessor: "beta" })]],
  ])("are not joined with %s", async (_, more, tasks) => {
    await founded(store);
    await begins(ONE);
    await begins(TWO, more, tasks);
    expect(await party(order(ONE))).toBe("");
  });

  it("are not joined with one that was claimed before, although it went back", async () => {
    await founded(store);
    await begins(ONE);
    await claimed(store, alpha, "token");
    await begins(TWO);
    expect(await ids("second")).toEqual([order(TWO)]);
    const back = { token: "token", settlements: [goesBack(ONE, "alpha.erase", 1)] };
    await store.settleAndClaim(alpha, back, undefined, NOW);
    await begins(THREE);
    expect(await party(order(ONE))).toBe("");
    expect(await party(order(THREE))).toBe("");
  });

  it("are never more than eight, and the ninth begins a party of its own", async () => {
    await founded(store);
    const many = Array.from({ length: 10 }, (_, at) => idOf(`many${at}`));
    for (const id of many) await begins(id);
    const parties = new Set(await Promise.all(many.map((id) => party(order(id)))));
    expect([...parties].map((each) => each.split(" ").length)).toEqual([8, 2]);
  });

  it("are of one party only, although a place in another has become free", async () => {
    await founded(store);
    const many = Array.from({ length: 9 }, (_, at) => idOf(`many${at}`));
    const [first = ONE] = many;
    for (const id of many) await begins(id);
    await store.byHand(alpha, ends(first, "alpha.erase", 0), NOW);
    await begins(TWO);
    const joined = (await party(order(TWO))).split(" ");
    for (const each of joined) expect(await party(each)).toBe(joined.join(" "));
  });

  it("[I12] leave nothing of one that was ended by hand, and the others stay", async () => {
    await founded(store);
    await begins(ONE);
    await begins(TWO);
    await twice(() => store.byHand(alpha, ends(ONE, "alpha.erase", 0), NOW));
    await begins(THREE);
    expect(JSON.stringify((await state())[ORDERS])).not.toContain(ONE);
    expect(await ids("token")).toEqual([order(TWO), order(THREE)].toSorted());
  });

  it("[I2] go on without one that was ended by hand while it was worked", async () => {
    await founded(store);
    await begins(ONE);
    await begins(TWO);
    expect(await ids("token")).toHaveLength(2);
    await store.byHand(alpha, ends(ONE, "alpha.erase", 0, { document: "by hand" }), NOW);
    const settle = { token: "token", settlements: [ends(ONE, "alpha.erase", 1), ends(TWO, "alpha.erase", 1)] };
    const { settled } = await store.settleAndClaim(alpha, settle, undefined, NOW);
    expect(settled?.results).toEqual(["late", "applied"]);
    const [one, two] = await store.load([ONE, TWO].map((id) => ({ n, id })));
    expect([one?.["t:alpha.erase"], two?.["t:alpha.erase"]]).toEqual(["by hand", "ended alpha.erase"]);
  });

  it("pull nobody out of a rest of its own, nor one that somebody holds, nor one that is parked", async () => {
    await founded(store);
    await begins(ONE);
    await begins(TWO);
    await begins(THREE);
    expect(await ids("first")).toHaveLength(3);
    const settlements = [
      goesBack(ONE, "alpha.erase", 1, { due: NOW + MINUTE }),
      goesBack(TWO, "alpha.erase", 1, { due: NOW + SECOND }),
      parks(THREE, "alpha.erase", 1),
    ];
    await store.settleAndClaim(alpha, { token: "first", settlements }, undefined, NOW);
    expect(await ids("second", NOW + SECOND)).toEqual([order(TWO)]);
    expect(await ids("third", NOW + MINUTE)).toEqual([order(ONE)]);
    await store.byHand(alpha, goesBack(THREE, "alpha.erase", 0, { due: NOW + MINUTE }), NOW + MINUTE);
    expect(await ids("fourth", NOW + MINUTE)).toEqual([order(THREE)]);
    expect((await ids("fifth", NOW + MINUTE + LEASE)).toSorted()).toEqual([ONE, THREE, TWO].map((id) => order(id)));
  });

  it("stay joined in what their ends free, in whichever order they are settled", async () => {
    await founded(store);
    const tasks = [task("alpha.erase"), task("beta.erase", { what: "wait", waits: ["alpha.erase"] })];
    await begins(ONE, {}, tasks);
    await begins(TWO, {}, tasks);
    await claimed(store, alpha, "token");
    const frees = [{ task: "beta.erase", subprocessor: "beta" }];
    const settlements = [TWO, ONE].map((id) => ends(id, "alpha.erase", 1, { frees }));
    await twice(() => store.settleAndClaim(alpha, { token: "token", settlements }, undefined, NOW));
    const [first, second] = await claimed(store, beta, "next", { most: 1 });
    expect(first?.joint).toEqual([order(TWO, "beta.erase"), order(ONE, "beta.erase")]);
    expect(second?.joint).toEqual(first?.joint);
  });

  it("[I2] are found again, joined, when the lane was lost and the request is planned again", async () => {
    await founded(store);
    await begins(ONE);
    await begins(TWO);
    await raw("DEL", ...laneKeys(alpha).slice(0, 2));
    for (const id of [ONE, TWO]) {
      await store.restart([{ n, id, due: NOW, deadline: NOW + DAY, release: false }], NOW);
      const start = await claimedOne(store, gateway, `start:${id}`, `again-${id}`);
      await twice(() => store.open([opening(id, start, [task("alpha.erase")], ada)]));
    }
    expect(await ids("token", NOW, 1)).toHaveLength(2);
    // Planned once more, they stay as they are.
    await store.restart([{ n, id: ONE, due: NOW, deadline: NOW + DAY, release: false }], NOW);
    const start = await claimedOne(store, gateway, `start:${ONE}`, "once more");
    const before = (await state())[ORDERS];
    await store.open([opening(ONE, start, [task("alpha.erase")], ada)]);
    expect((await state())[ORDERS]).toEqual(before);
  });
});

onEach("one run a lane", engines, ({ store, twice, raw }) => {
  const tell = (...lanes: readonly string[]) => store.tell(n, "notice", lanes, NOW);
  const claim = (lane: string, run: string, now = NOW, token = `${run}-${now}`) =>
    store
      .settleAndClaim(lane, undefined, { token, most: 50, leaseUntil: now + LEASE, run }, now)
      .then(({ claim }) => claim?.state);
  const letGo = (lane: string, run: string, settle: Partial<Settle> = {}) =>
    store.settleAndClaim(lane, { token: "none", settlements: [], release: run, ...settle }, undefined, NOW);
  const many = Array.from({ length: RUNS_A_TENANT + 3 }, (_, at) => `holder${at}`);
  const lanes = many.map((each) => laneName(n, each));
  const [first = alpha] = lanes;
  const late = lanes.slice(RUNS_A_TENANT);
  /** As many runs as a tenant may have. */
  const fill = async (now = NOW) => {
    await tell(...many);
    for (const lane of lanes.slice(0, RUNS_A_TENANT))
      expect(await claim(lane, `run of ${lane}`.replaceAll(" ", "-"), now)).toBe("batch");
  };
  const runOf = (lane: string) => `run-of-${lane}`;

  it("[I10] lets no other in until the lease ends, and then whoever comes", async () => {
    await tell("alpha");
    expect(await claim(alpha, "one")).toBe("batch");
    expect(await twice(() => claim(alpha, "two", NOW + LEASE - 1))).toEqual(["busy", "busy"]);
    expect(await claim(alpha, "two", NOW + LEASE)).toBe("batch");
    expect(await claim(alpha, "one", NOW + LEASE)).toBe("busy");
  });

  it("lets go when nothing is left, and with its last settle", async () => {
    await tell("alpha");
    await claim(alpha, "one");
    await twice(() => letGo(alpha, "one", { token: `one-${NOW}`, settlements: [drops("notice", 1)] }));
    expect(await raw("HGET", ORDERS, "~o")).toBeNull();
    expect(await claim(alpha, "two")).toBe("none");
    expect(await raw("ZCARD", keys.runs(n))).toBe(0);
  });

  it("lets go of nothing that another run has taken", async () => {
    await tell("alpha");
    await claim(alpha, "one");
    await claim(alpha, "two", NOW + LEASE);
    await letGo(alpha, "one");
    expect(await claim(alpha, "three", NOW + LEASE)).toBe("busy");
  });

  it("[I6 I10] counts a tenant's runs over all who work them, and leaves a refused lane asleep for the sweep", async () => {
    await fill();
    const [next = alpha] = late;
    expect(await twice(() => claim(next, "late"))).toEqual(["full", "full"]);
    expect(await store.sweep([next], NOW)).toEqual([next]);
    await letGo(first, runOf(first));
    expect(await claim(next, "late")).toBe("batch");
    await store.tell(n, "another", ["holder0"], NOW);
    expect(await claim(first, "again")).toBe("full");
  });

  it("counts nobody whose lease has ended: a run that crashed takes no place for ever", async () => {
    await fill();
    expect(await claim(late[0] ?? alpha, "late", NOW + LEASE)).toBe("batch");
  });

  it("[I6] counts each tenant's alone", async () => {
    await fill();
    const other = laneName("2", "alpha");
    await store.tell("2" as typeof n, "notice", ["alpha"], NOW);
    expect(await claim(other, "other")).toBe("batch");
  });

  it("[I8] neither counts nor refuses the gateway's own steps", async () => {
    await fill();
    await founded(store);
    await store.record([request(ONE)]);
    expect(await claim(gateway, "steps")).toBe("batch");
    await letGo(first, runOf(first));
    expect(await claim(late[0] ?? alpha, "late")).toBe("batch");
  });

  it("[I2] gives the next free place to whoever was refused first, for as long as it keeps coming", async () => {
    await fill();
    const [one = alpha, two = alpha] = late;
    expect(await claim(one, "one")).toBe("full");
    expect(await claim(two, "two", NOW + SECOND)).toBe("full");
    await letGo(first, runOf(first));
    await store.tell(n, "another", ["holder0"], NOW);
    expect(await claim(first, "comes-back", NOW + 2 * SECOND), "it has been at work").toBe("full");
    expect(await claim(two, "two", NOW + 3 * SECOND)).toBe("full");
    expect(await claim(one, "one", NOW + 4 * SECOND)).toBe("batch");
  });

  it("keeps no place for ever for a lane that does not come any more", async () => {
    await fill(NOW);
    const [one = alpha, two = alpha] = late;
    await claim(one, "one");
    const later = NOW + 6 * MINUTE;
    for (const lane of lanes.slice(0, RUNS_A_TENANT - 1)) expect(await claim(lane, "later", later)).toBe("batch");
    expect(await claim(two, "two", later)).toBe("batch");
  });
});

onEach("lanes of one vendor account", engines, ({ store, twice, raw, age }) => {
  const account = "account";
  const KEY = keys.account(n, account);
  const tell = () => store.tell(n, "notice", ["alpha", "beta"], NOW);
  const claim = (lane: string, now = NOW) =>
    store
      .settleAndClaim(
        lane,
        undefined,
        { token: `${lane} ${now}`, most: 9, leaseUntil: now + LEASE, run: lane, account },
        now,
      )
      .then(({ claim }) => claim);
  const pause = (pauseUntil: number, token = `${alpha} ${NOW}`) =>
    store.settleAndClaim(
      alpha,
      { token, settlements: [drops("notice", 1)], pauseUntil, account, release: alpha },
      undefined,
      NOW,
    );

  it("[I10] rest together, until the same moment", async () => {
    await tell();
    await claim(alpha);
    await twice(() => pause(NOW + MINUTE));
    expect(await twice(() => claim(beta))).toEqual([
      { state: "paused", until: NOW + MINUTE },
      { state: "paused", until: NOW + MINUTE },
    ]);
    // The sweep sees the lane's own keys only.
    expect(await store.sweep([beta], NOW + SECOND)).toEqual([]);
    await age(MINUTE);
    expect(await raw("EXISTS", KEY), "it has a lifetime").toBe(0);
    expect(await claim(beta, NOW + MINUTE)).toMatchObject({ state: "batch" });
  });

  it("are not made to rest by a run that comes too late, nor for a shorter time than before", async () => {
    await tell();
    await claim(alpha);
    await pause(NOW + MINUTE, "somebody else's");
    expect(await raw("EXISTS", KEY)).toBe(0);
    await raw("SET", KEY, String(NOW + DAY));
    await pause(NOW + MINUTE);
    expect(await raw("GET", KEY)).toBe(String(NOW + DAY));
  });

  it("all go on when the pause is lifted, but for what one of them rests for itself", async () => {
    await store.tell(n, "notice", ["alpha", "beta", "gamma"], NOW);
    await claim(alpha);
    await pause(NOW + MINUTE);
    await claim(beta);
    const gamma = laneName(n, "gamma");
    await raw("HSET", laneKeys(gamma)[1], "~p", String(NOW + DAY));
    await twice(() => store.unpause(alpha, { name: account, lanes: [beta, gamma] }, NOW));
    expect(await claim(beta)).toMatchObject({ state: "batch" });
    expect(await claim(gamma)).toEqual({ state: "paused", until: NOW + DAY });
  });
});

onEach("a bulk batch", engines, ({ store, twice, raw }) => {
  const batch = { id: "batch_1", members: ["a", "b"] };
  const claim = (now = NOW, run = "run") =>
    store
      .settleAndClaim(alpha, undefined, { token: `${run} ${now}`, most: 9, leaseUntil: now + LEASE, run }, now)
      .then(({ claim }) => claim);
  const settle = (settle: Omit<Settle, "token">, run = "run", at = NOW) =>
    store.settleAndClaim(alpha, { token: `${run} ${at}`, ...settle }, undefined, at);
  const begin = async () => {
    for (const id of ["a", "b", "c"]) await store.tell(n, id, ["alpha"], NOW);
    await claim();
    expect(await twice(() => store.freeze(alpha, "run", batch, NOW))).toEqual([true, true]);
  };
  const back = (id: string, attempt: number, due: number) =>
    ({ id, attempt, deadline: NOW, what: "back", due, cursor: "" }) as const;
  const ids = (claim: Awaited<ReturnType<typeof store.settleAndClaim>>["claim"]) =>
    claim?.state === "batch" ? claim.orders.map(({ id }) => id) : claim?.state;

  it("[I3] comes again as it was, and nothing beside it, when the run that made it is gone", async () => {
    await begin();
    const again = await claim(NOW + LEASE, "other");
    expect(ids(again)).toEqual(["a", "b"]);
    expect(again).toMatchObject({ frozen: batch });
  });

  it("[I3] comes again before its members are due by themselves, and its lost answer settles nothing else", async () => {
    await begin();
    const settlements = [back("a", 1, NOW + DAY), back("b", 1, NOW + MINUTE), drops("c", 1)];
    await twice(() => settle({ settlements, pauseUntil: NOW + SECOND }));
    expect(await claim(NOW)).toMatchObject({ state: "paused" });
    const again = await claim(NOW + SECOND);
    expect(again).toMatchObject({ frozen: batch });
    expect(ids(again)).toEqual(["a", "b"]);
  });

  it("is over with a definite answer, and what is left is claimed as it comes", async () => {
    await begin();
    const settlements = [drops("a", 1), back("b", 1, NOW + MINUTE), back("c", 1, NOW)];
    await twice(() => settle({ settlements, thaws: "batch_1" }));
    expect(await raw("HGET", ORDERS, "~b")).toBeNull();
    expect(ids(await claim(NOW + SECOND))).toEqual(["c"]);
  });

  it("goes on without a member that was ended or parked, and is over when none is left", async () => {
    await begin();
    const settlements = [{ ...back("a", 1, NOW), what: "park" } as const, back("b", 1, NOW), back("c", 1, NOW)];
    await settle({ settlements });
    const rest = await claim(NOW + SECOND);
    expect(ids(rest)).toEqual(["b"]);
    expect(rest).toMatchObject({ frozen: batch });
    await settle({ settlements: [drops("b", 2)] }, "run", NOW + SECOND);
    expect(ids(await claim(NOW + 2 * SECOND))).toEqual(["c"]);
    expect(await raw("HGET", ORDERS, "~b")).toBeNull();
  });

  it("[I3] is fixed by nobody who has lost the lane", async () => {
    await begin();
    const later = NOW + LEASE;
    expect(await store.freeze(alpha, "run", { id: "batch_2", members: ["c"] }, later), "its lease is over").toBe(false);
    await claim(later, "other");
    expect(await store.freeze(alpha, "run", { id: "batch_2", members: ["c"] }, later)).toBe(false);
    expect(await raw("HGET", ORDERS, "~b")).toBe("batch_1 a b");
  });

  it("[I3] is not thawed by whoever comes too late, nor by word of another batch", async () => {
    await begin();
    await claim(NOW + LEASE, "other");
    await settle({ settlements: [drops("a", 1), drops("b", 1)], thaws: "batch_1" });
    expect(await raw("HGET", ORDERS, "~b"), "its orders are another's").toBe("batch_1 a b");
    await settle({ settlements: [drops("c", 1)], thaws: "batch_0" });
    expect(await raw("HGET", ORDERS, "~b"), "it knows of another batch").toBe("batch_1 a b");
  });
});
