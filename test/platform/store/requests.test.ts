import { expect, it } from "vitest";
import { keys } from "../../../src/platform/keys.ts";
import { AWAKE_MS, laneKeys } from "../../../src/platform/store/lanes.ts";
import { NOTE_MS } from "../../../src/platform/store/requests.ts";
import { createStore } from "../../../src/platform/store.ts";
import {
  alpha,
  beta,
  change,
  claimed,
  claimedOne,
  closable,
  closing,
  DAY,
  ends,
  founded,
  gateway,
  goesBack,
  HOUR,
  idOf,
  KEEP,
  LEASE,
  link,
  MINUTE,
  NOW,
  n,
  ONE,
  opened,
  opening,
  request,
  TWO,
  task,
  tenant,
} from "../samples.ts";
import { engines, holding, onEach, repeating } from "../stand.ts";

const identity = { index: "ada-index", suppression: "ada-suppression" };
const erased = (id: string) => ({
  pseudonym: identity.suppression,
  value: `erased ${id} alpha`,
  lifetimeMs: 300 * DAY,
});
const acted = (id: string) => ({ pseudonym: identity.suppression, value: `acted ${id} alpha`, lifetimeMs: 40 * DAY });

onEach("recording a request", engines, ({ kind, store, client, dump, state, twice, raw, age, outage, roundTrips }) => {
  const recorded = async (...[id, more]: Parameters<typeof request>) => (await store.record([request(id, more)]))[0];
  const gateways = async () => (await claimed(store, gateway, "looks", { now: NOW + 40 * DAY })).map(({ id }) => id);

  it("[I1] makes a thousand durable in at most three round trips, all of them or none", async () => {
    await founded(store);
    // The engine in memory interprets each script, and takes a hundredfold of the time to show the same.
    const many = kind === "memory" ? 100 : 1000;
    const all = Array.from({ length: many }, (_, at) => request(idOf(`batch${at}`)));
    const trips = async (act: () => Promise<unknown>) => {
      const before = roundTrips();
      await act();
      return roundTrips() - before;
    };
    outage(true);
    await expect(store.record(all)).rejects.toMatchObject({ name: "StoreUnreachable" });
    outage(false);
    expect(await store.list(n, true, undefined, 10)).toEqual([]);
    await client.run([["script", "flush"]]);
    expect(await trips(() => store.record(all))).toBeLessThanOrEqual(3);
    expect(await store.list(n, true, undefined, 2000)).toHaveLength(many);
    expect(await trips(() => store.record(all))).toBe(1);
    expect(await store.list(n, true, undefined, 2000)).toHaveLength(many);
  });

  it("[I1] makes it durable with its start and its watch, and takes the repeat for a duplicate", async () => {
    await founded(store);
    const [first, second] = await twice(() => recorded(ONE));
    expect(first).toEqual({ result: "recorded", wake: true });
    expect(second).toEqual({ result: "duplicate", wake: false, status: "scheduled" });
    expect((await store.load([{ n, id: ONE }]))[0]).toEqual({
      st: "scheduled",
      bh: "digest",
      d: `document of ${ONE}`,
      k: `wrapped key of ${ONE}`,
      s: `sealed identities of ${ONE}`,
    });
    expect(await store.list(n, true, undefined, 10)).toEqual([{ id: ONE, score: NOW + 30 * DAY }]);
    expect(await store.list(n, false, undefined, 10)).toEqual([{ id: ONE, score: NOW }]);
    expect((await gateways()).toSorted()).toEqual([`start:${ONE}`, `watch:${ONE}`]);
  });

  it("[I1] rejects while the store cannot be reached, and records nothing", async () => {
    await founded(store);
    outage(true);
    await expect(recorded(ONE)).rejects.toMatchObject({ name: "StoreUnreachable" });
    outage(false);
    expect(await store.load([{ n, id: ONE }])).toEqual([{}]);
    expect(await recorded(ONE)).toMatchObject({ result: "recorded" });
  });

  it("[I3] opens one request where the answer was lost and the client repeated the call", async () => {
    await founded(store);
    const unlucky = createStore(repeating(client, () => true));
    expect(await unlucky.record([request(ONE)])).toEqual([{ result: "duplicate", wake: false, status: "scheduled" }]);
    expect(await gateways()).toHaveLength(2);
  });

  it("wakes the gateway's lane only when it is asleep and the start is due", async () => {
    await founded(store);
    expect(await recorded(idOf("later"), { startAt: NOW + DAY })).toMatchObject({ wake: false });
    expect(await recorded(ONE)).toMatchObject({ wake: true });
    expect(await recorded(TWO)).toMatchObject({ wake: false });
    expect(await recorded(idOf("three"), { now: NOW + AWAKE_MS })).toMatchObject({ wake: true });
  });

  it("tells a subject's gate of each closure in its grace window, from the next to start", async () => {
    await founded(store);
    const closures = [
      request(ONE, { closing: "ada", startAt: NOW + 30 * DAY, identities: [identity] }),
      request(TWO, { closing: "ada", startAt: NOW + 7 * DAY }),
    ];
    await twice(() => store.record(closures));
    const waiting = [
      { request: TWO, startAt: NOW + 7 * DAY },
      { request: ONE, startAt: NOW + 30 * DAY },
    ];
    expect(await store.gate(n, "ada")).toEqual({ known: false, gone: false, requests: [], closing: waiting });
    expect((await store.gate(n, "eve")).closing).toEqual([]);
  });

  it("writes nothing for the gate of what has no grace window, or is not obeyed", async () => {
    await founded(store);
    await store.record([request(ONE), request(TWO, { noteOnly: true, closing: "ada" })]);
    await recorded(idOf("late"), { closing: "ada", version: "0" });
    expect(Object.keys(await dump())).not.toContain(keys.closing(n, "ada"));
  });

  it("[I14] tells the gate of a closure that is held, too, whose start may pass", async () => {
    await founded(store);
    const ceiling = { source: "api", most: 1 };
    await recorded(TWO, { ceiling });
    await twice(() => recorded(ONE, { closing: "ada", ceiling, startAt: NOW + DAY }));
    expect((await store.load([{ n, id: ONE }]))[0]).toMatchObject({ held: "ceiling" });
    await age(300 * DAY);
    expect((await store.gate(n, "ada")).closing).toEqual([{ request: ONE, startAt: NOW + DAY }]);
  });

  it("[I12] forgets at the gate, long after the last start, what never came to an end", async () => {
    await founded(store);
    await recorded(ONE, { closing: "ada", startAt: NOW + 90 * DAY });
    await recorded(TWO, { closing: "ada", startAt: NOW + DAY });
    await age(489 * DAY);
    expect((await store.gate(n, "ada")).closing).toHaveLength(2);
    await age(2 * DAY);
    expect(Object.keys(await dump())).not.toContain(keys.closing(n, "ada"));
  });

  it("[I2] puts a lost start back when the delivery is repeated", async () => {
    await founded(store);
    await recorded(ONE, { startAt: NOW });
    await raw("DEL", ...laneKeys(gateway).slice(0, 2));
    const [first, second] = await twice(() => recorded(ONE));
    expect(first).toEqual({ result: "duplicate", wake: true, status: "scheduled" });
    expect(second).toMatchObject({ wake: false });
    expect(await claimed(store, gateway, "token")).toMatchObject([{ id: `start:${ONE}` }]);
  });

  it("[I3] leaves a start that is at work alone when the delivery is repeated", async () => {
    await founded(store);
    await recorded(ONE);
    await claimed(store, gateway, "token");
    expect(await recorded(ONE)).toMatchObject({ result: "duplicate", wake: false });
    expect(await store.look([{ lane: gateway, id: `start:${ONE}` }])).toEqual(["in_flight"]);
  });

  it("answers stale to a plan from an older registry, and writes nothing", async () => {
    await founded(store);
    await store.change(n, "1", tenant, change);
    const before = await state();
    expect(await store.record([request(ONE), request(TWO)])).toEqual([{ result: "stale" }, { result: "stale" }]);
    expect(await state()).toEqual(before);
    expect(await recorded(ONE, { version: "2" })).toMatchObject({ result: "recorded" });
  });

  it("[I6] records nothing for a tenant that does not exist", async () => {
    expect(await recorded(ONE)).toEqual({ result: "stale" });
    expect(await dump()).toEqual({});
  });

  it("notices an idempotency key that is used for something else", async () => {
    await founded(store);
    await recorded(ONE);
    const before = await state();
    expect(await recorded(ONE, { digest: "another" })).toEqual({ result: "conflict" });
    expect(await state()).toEqual(before);
  });

  it("records several in one trip, and repeats all of them without harm", async () => {
    await founded(store);
    const all = [request(ONE), request(TWO), request(idOf("note"), { noteOnly: true })];
    const [first, second] = await twice(() => store.record(all));
    expect(first.map(({ result }) => result)).toEqual(["recorded", "recorded", "noted"]);
    expect(second.map(({ result }) => result)).toEqual(["duplicate", "duplicate", "duplicate"]);
    expect(await store.record([])).toEqual([]);
  });

  it("[I3] notes a signal from before the identity's newest connection, and obeys one from after it", async () => {
    await founded(store);
    await store.link(link("ada", { identities: [{ ...identity, since: NOW - HOUR }] }));
    const late = () => recorded(ONE, { identities: [identity], signalAt: NOW - HOUR - 1 });
    const [first, second] = await twice(late);
    expect(first).toEqual({ result: "noted", why: "superseded" });
    expect(second).toMatchObject({ result: "duplicate", status: "noted" });
    expect(await gateways()).toEqual([]);
    expect(await recorded(TWO, { identities: [identity], signalAt: NOW - HOUR })).toMatchObject({ result: "recorded" });
  });

  it("obeys a signal whose age does not matter, whatever came since", async () => {
    await founded(store);
    await store.link(link("ada", { identities: [{ ...identity, since: NOW }] }));
    expect(await recorded(ONE, { identities: [identity], signalAt: 0 })).toMatchObject({ result: "recorded" });
  });

  it.each([
    ["what its sender was told to do", "acted", "alpha", { echoOf: "alpha" }],
    ["an erasure that its sender was told of", "erased", "alpha", { echoOf: "alpha" }],
    ["an erasure everywhere, at its sender alone", "erased", "-", { echoOf: "alpha", here: true }],
  ])("[I3] notes the echo of %s, and of no other", async (_, kind, actor, more) => {
    await founded(store);
    await store.suppress(n, [{ ...acted(TWO), value: `${kind} ${TWO} ${actor}` }]);
    const [first] = await twice(() => recorded(ONE, { identities: [identity], ...more }));
    expect(first).toEqual({ result: "noted", why: "echo" });
    const stranger = { index: "eve-index", suppression: "eve-suppression" };
    expect(await recorded(TWO, { identities: [stranger], ...more })).toMatchObject({ result: "recorded" });
  });

  it.each([
    ["from a sender whose signals cannot be echoes", "erased", "alpha", { echoOf: "", here: true }],
    ["from another than the one that acted", "acted", "beta", { echoOf: "alpha", here: true }],
    ["from one whose name only begins the same", "acted", "alpha2", { echoOf: "alpha", here: true }],
    ["for everywhere, after an erasure by another", "erased", "beta", { echoOf: "alpha" }],
    ["for everywhere, after an erasure that nobody can echo", "erased", "-", { echoOf: "alpha" }],
  ])("[I3] obeys a signal %s", async (_, kind, actor, more) => {
    await founded(store);
    await store.suppress(n, [{ ...acted(TWO), value: `${kind} ${TWO} ${actor}` }]);
    expect(await recorded(ONE, { identities: [identity], ...more })).toMatchObject({ result: "recorded" });
  });

  it("[I12] keeps a note without anything of the delivery, and for a while only", async () => {
    await founded(store);
    const [first] = await twice(() => recorded(ONE, { noteOnly: true }));
    expect(first).toEqual({ result: "noted", why: "recorded" });
    expect(holding(await dump(), /sealed|wrapped key|document/)).toEqual([]);
    await age(NOTE_MS - HOUR);
    expect(await recorded(ONE, { noteOnly: true })).toMatchObject({ result: "duplicate" });
    await age(2 * HOUR);
    expect(await store.load([{ n, id: ONE }])).toEqual([{}]);
  });

  it("only notes what concerns nobody that is linked, where it is asked to, and counts it nowhere", async () => {
    await founded(store);
    const ceiling = { source: "hook", most: 1 };
    const about = (index: string) => ({ identities: [{ index, suppression: index }], onlyKnown: true, ceiling });
    const [first, second] = await twice(() => recorded(ONE, about("stranger")));
    expect(first).toEqual({ result: "noted", why: "unknown" });
    expect(second).toMatchObject({ result: "duplicate", status: "noted" });
    expect(await gateways()).toEqual([]);
    // A restore of somebody whom nobody linked is remembered, and makes nobody known.
    await recorded(idOf("back"), { ...about("stranger"), noteOnly: true, restores: "alpha", restoredAt: NOW });
    expect(await recorded(idOf("again"), { ...about("stranger"), confirms: true })).toMatchObject({ why: "unknown" });
    await store.link(link("ada", { identities: [identity] }));
    const known = { ...about("stranger"), identities: [{ index: "stranger", suppression: "stranger" }, identity] };
    expect(await recorded(TWO, known)).toMatchObject({ result: "recorded" });
    expect(
      await recorded(idOf("held"), { ...about(identity.index), ceiling: { source: "other", most: 9 }, confirms: true }),
    ).toMatchObject({ result: "held" });
  });

  it("[I14] holds what passes a source's ceiling, watched but not started, and counts a repeat once", async () => {
    await founded(store);
    const ceiling = { source: "hook", most: 1 };
    await twice(() => recorded(ONE, { ceiling }));
    const [first, second] = await twice(() => recorded(TWO, { ceiling }));
    expect(first).toEqual({ result: "held" });
    expect(second).toEqual({ result: "duplicate", wake: false, status: "scheduled" });
    expect((await store.load([{ n, id: TWO }]))[0]).toMatchObject({ st: "scheduled", held: "ceiling" });
    expect((await gateways()).toSorted()).toEqual([`start:${ONE}`, `watch:${ONE}`, `watch:${TWO}`].toSorted());
  });

  it("[I14] counts each source and each hour for itself", async () => {
    await founded(store);
    const ceiling = { source: "hook", most: 1 };
    const results = await store.record([
      request(ONE, { ceiling }),
      request(TWO, { ceiling: { source: "other", most: 1 } }),
      request(idOf("next"), { ceiling, now: NOW + HOUR }),
      request(idOf("free")),
    ]);
    expect(results.map(({ result }) => result)).toEqual(["recorded", "recorded", "recorded", "recorded"]);
  });

  it("[I12] forgets how many there were in an hour", async () => {
    await founded(store);
    await recorded(ONE, { ceiling: { source: "hook", most: 1 } });
    const counter = keys.ceiling(n, "hook", NOW / HOUR);
    expect((await dump())[counter]?.value).toBe("1");
    await age(2 * HOUR);
    expect(Object.keys(await dump())).not.toContain(counter);
  });

  it("lists open requests by deadline, and all by receipt from the newest", async () => {
    await founded(store);
    const ids = [ONE, TWO, idOf("three")];
    await store.record(
      ids.map((id, at) => request(id, { now: NOW + at, deadline: NOW + (30 - at) * DAY, startAt: NOW + DAY })),
    );
    const names = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id);
    expect(names(await store.list(n, true, undefined, 2))).toEqual([idOf("three"), TWO]);
    expect(names(await store.list(n, true, { score: NOW + 29 * DAY, skip: 1 }, 2))).toEqual([ONE]);
    expect(names(await store.list(n, false, undefined, 2))).toEqual([idOf("three"), TWO]);
    expect(names(await store.list(n, false, { score: NOW + 1, skip: 1 }, 2))).toEqual([ONE]);
  });

  it("lists those of one moment page by page, each once", async () => {
    await founded(store);
    const ids = Array.from({ length: 5 }, (_, at) => idOf(`many${at}`));
    await store.record(ids.map((id) => request(id)));
    for (const [open, score] of [
      [true, NOW + 30 * DAY],
      [false, NOW],
    ] as const) {
      const pages = await Promise.all([0, 2, 4].map((skip) => store.list(n, open, { score, skip }, 2)));
      expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
      expect(pages.flatMap((page) => page.map(({ id }) => id)).toSorted()).toEqual(ids);
    }
  });

  it("gives every open request in slices, turn by turn", async () => {
    await founded(store);
    const ids = Array.from({ length: 5 }, (_, at) => idOf(`many${at}`));
    await store.record(ids.map((id) => request(id)));
    const turns = await Promise.all([0, 1, 2].map((turn) => store.openSlices([n], turn, 2)));
    expect(turns.map((turn) => turn.length)).toEqual([2, 2, 1]);
    expect(turns.flat().toSorted()).toEqual(ids.toSorted());
    expect(await store.openSlices([n], 3, 2)).toEqual(turns[0]);
  });
});

onEach("starting a request", engines, ({ store, dump, state, twice, raw }) => {
  const started = async (id = ONE) => {
    await founded(store);
    await store.record([request(id)]);
    return claimedOne(store, gateway, `start:${id}`, `starts-${id}`);
  };
  const open = async (...args: Parameters<typeof opening>) => (await store.open([opening(...args)]))[0];
  const restarted = async (id = ONE, token = "starts-again") => {
    await store.restart([{ n, id, due: NOW, deadline: NOW + 30 * DAY, release: false }], NOW);
    return claimedOne(store, gateway, `start:${id}`, token);
  };
  const openTasks = async (id = ONE) => {
    const members = await raw("SMEMBERS", keys.openTasks(n, id));
    return Array.isArray(members) ? members.map(String).toSorted() : [];
  };

  it("puts each order into its lane, wakes those lanes, and comes late a second time", async () => {
    const start = await started();
    const tasks = [
      task("alpha.erase"),
      task("alpha.revoke", { what: "wait", waits: ["alpha.erase"] }),
      task("beta.erase", { what: "open", payload: "" }),
      task("beta.stop", { what: "ended", document: "ended", payload: "" }),
    ];
    const more = {
      subject: "ada",
      fields: { d: "fuller document", "g:alpha.erase": "tag" },
      suppressions: [erased(ONE)],
    };
    const [first, second] = await twice(() => open(ONE, start, tasks, more));
    expect(first).toEqual({ result: "open", woken: [alpha] });
    expect(second).toEqual({ result: "late", woken: [] });
    expect((await store.load([{ n, id: ONE }]))[0]).toMatchObject({
      st: "open",
      d: "fuller document",
      "g:alpha.erase": "tag",
      "t:alpha.erase": "planned alpha.erase",
      "w:alpha.revoke": "alpha.erase",
      "wo:alpha.revoke": "sealed payload of alpha.revoke",
      "t:beta.erase": "planned beta.erase",
      "t:beta.stop": "ended",
    });
    expect(await openTasks()).toEqual(["alpha.erase", "alpha.revoke", "beta.erase"]);
    expect(await claimed(store, alpha, "token")).toMatchObject([
      { id: `${ONE}/alpha.erase`, payload: "sealed payload of alpha.erase" },
    ]);
    expect(await claimed(store, beta, "token")).toEqual([]);
    expect(await claimed(store, gateway, "token")).toEqual([]);
    expect(await store.gate(n, "ada")).toEqual({ known: false, gone: false, requests: [ONE], closing: [] });
    expect(await store.suppressed(n, [identity.suppression, "nobody"])).toEqual([`erased ${ONE} alpha`, undefined]);
  });

  it("[I12] gives suppression entries their lifetimes", async () => {
    await open(ONE, await started(), [task("alpha.erase")], { suppressions: [erased(ONE)] });
    const lifetime = (await dump())[keys.suppression(n, identity.suppression)]?.lifetimeMs ?? 0;
    expect(lifetime).toBeGreaterThan(300 * DAY - MINUTE);
    expect(lifetime).toBeLessThanOrEqual(300 * DAY);
  });

  it("[I12] does not weaken an erased person's suppression by a narrower request", async () => {
    await open(ONE, await started(), [task("alpha.erase")], { suppressions: [erased(ONE)] });
    await open(TWO, await started(TWO), [task("alpha.revoke")], { suppressions: [acted(TWO)] });
    const entry = (await dump())[keys.suppression(n, identity.suppression)];
    expect(entry?.value).toBe(`erased ${ONE} alpha`);
    expect(entry?.lifetimeMs).toBeGreaterThan(299 * DAY);
  });

  it("turns an echo's suppression into an erased person's", async () => {
    await open(ONE, await started(), [task("alpha.revoke")], { suppressions: [acted(ONE)] });
    await open(TWO, await started(TWO), [task("alpha.erase")], { suppressions: [erased(TWO)] });
    expect(await store.suppressed(n, [identity.suppression])).toEqual([`erased ${TWO} alpha`]);
  });

  it("[I2] goes straight to its close where no task is open", async () => {
    const start = await started();
    const tasks = [task("alpha.erase", { what: "ended", document: "ended" })];
    const [first] = await twice(() => open(ONE, start, tasks));
    expect(first).toMatchObject({ result: "open" });
    expect(await claimed(store, gateway, "token")).toMatchObject([{ id: `close:${ONE}` }]);
  });

  it("[I3] loses to a cancellation that came first", async () => {
    const start = await started();
    const [first] = await twice(() => store.cancel(n, ONE, "cancelled document", KEEP, NOW));
    expect(first).toBe("cancelled");
    const before = await state();
    expect(await open(ONE, start, [task("alpha.erase")])).toEqual({ result: "late", woken: [] });
    expect(await state()).toEqual(before);
  });

  it("[I3] wins over a cancellation that comes second", async () => {
    await open(ONE, await started(), [task("alpha.erase")]);
    const before = await state();
    const [first] = await twice(() => store.cancel(n, ONE, "cancelled document", KEEP, NOW));
    expect(first).toBe("not_scheduled open");
    expect(await state()).toEqual(before);
  });

  it("[I3] has one winner where start and cancellation arrive together", async () => {
    const start = await started();
    const [cancelled, opens] = await Promise.all([
      store.cancel(n, ONE, "cancelled document", KEEP, NOW),
      open(ONE, start, [task("alpha.erase")]),
    ]);
    const status = (await store.load([{ n, id: ONE }]))[0]?.st;
    expect([cancelled, opens?.result, status]).toEqual(
      status === "open" ? ["not_scheduled open", "open", "open"] : ["cancelled", "late", "cancelled"],
    );
  });

  it("answers stale to a plan from an older registry, changes nothing, and keeps the start", async () => {
    const start = await started();
    await store.change(n, "1", tenant, change);
    const before = await state();
    expect(await open(ONE, start, [task("alpha.erase")])).toEqual({ result: "stale", woken: [] });
    expect(await state()).toEqual(before);
    expect(await open(ONE, start, [task("alpha.erase")], { version: "2" })).toMatchObject({ result: "open" });
  });

  it("[I2] answers stale to a plan from an older record of the person, changes nothing, and keeps the start", async () => {
    const start = await started();
    await store.link(link("ada"));
    const before = await state();
    const [first] = await twice(() => open(ONE, start, [task("alpha.erase")], { subject: "ada" }));
    expect(first).toEqual({ result: "stale", woken: [] });
    expect(await state()).toEqual(before);
    const planned = { subject: "ada", subjectVersion: "1" };
    expect(await open(ONE, start, [task("alpha.erase")], planned)).toMatchObject({ result: "open" });
    expect((await store.load([{ n, id: ONE }]))[0]?.pv).toBe("1");
  });

  it("[I3] comes late when its lease has gone to another", async () => {
    const start = await started();
    await claimed(store, gateway, "another", { now: NOW + LEASE });
    const before = await state();
    expect(await open(ONE, start, [task("alpha.erase")])).toEqual({ result: "late", woken: [] });
    expect(await state()).toEqual(before);
  });

  it("drops the start of a request that has ended", async () => {
    const start = await started();
    await raw("HSET", keys.request(n, ONE), "st", "closed");
    expect(await open(ONE, start, [task("alpha.erase")])).toEqual({ result: "ended", woken: [] });
    expect(await store.look([{ lane: gateway, id: `start:${ONE}` }])).toEqual(["missing"]);
    expect(await openTasks()).toEqual([]);
  });

  it("[I2] keeps what is planned as it is when it is planned again", async () => {
    const tasks = [
      task("alpha.erase"),
      task("beta.erase"),
      task("alpha.revoke", { what: "wait", waits: ["alpha.erase"] }),
    ];
    await open(ONE, await started(), tasks);
    await claimed(store, alpha, "runner");
    await claimed(store, beta, "runner");
    const back = {
      token: "runner",
      settlements: [goesBack(ONE, "beta.erase", 1, { due: NOW + HOUR, cursor: "cursor" })],
    };
    await store.settleAndClaim(beta, back, undefined, NOW);
    const start = await restarted();
    const before = await state();
    const again = tasks.map((each) => ({ ...each, document: "planned again", payload: "sealed again" }));
    const [first] = await twice(() => open(ONE, start, again));
    expect(first).toEqual({ result: "open", woken: [] });
    const after = await state();
    for (const key of [keys.request(n, ONE), keys.openTasks(n, ONE), ...laneKeys(alpha), ...laneKeys(beta)])
      expect(after[key]).toEqual(before[key]);
  });

  it("[I3] has what waits for a task wait for what joined it, too", async () => {
    const revoke = (...waits: readonly string[]) => task("alpha.revoke", { what: "wait", waits });
    await open(ONE, await started(), [task("alpha.erase"), revoke("alpha.erase")]);
    const start = await restarted();
    const joined = [task("alpha.erase"), revoke("alpha.erase", "alpha.erase.2"), task("alpha.erase.2")];
    await twice(() => open(ONE, start, joined));
    expect((await store.load([{ n, id: ONE }]))[0]?.["w:alpha.revoke"]).toBe("alpha.erase alpha.erase.2");
    // What is planned again without it goes on waiting for it.
    await open(ONE, await restarted(ONE, "starts a third time"), [task("alpha.erase"), revoke("alpha.erase")]);
    expect((await store.load([{ n, id: ONE }]))[0]?.["w:alpha.revoke"]).toBe("alpha.erase alpha.erase.2");
  });

  it("[I3] does not open a task again that has ended", async () => {
    await open(ONE, await started(), [task("alpha.erase"), task("beta.erase")]);
    await claimed(store, alpha, "runner");
    const end = { token: "runner", settlements: [ends(ONE, "alpha.erase", 1)] };
    await store.settleAndClaim(alpha, end, undefined, NOW);
    await open(ONE, await restarted(), [task("alpha.erase"), task("beta.erase")]);
    expect(await openTasks()).toEqual(["beta.erase"]);
    expect(await claimed(store, alpha, "next")).toEqual([]);
  });

  it("adds what became known since to an open request", async () => {
    await open(ONE, await started(), [task("alpha.erase")]);
    const start = await restarted();
    const [first] = await twice(() => open(ONE, start, [task("alpha.erase"), task("beta.erase")]));
    expect(first).toEqual({ result: "open", woken: [beta] });
    expect(await claimed(store, beta, "token")).toMatchObject([{ id: `${ONE}/beta.erase` }]);
  });

  it("[I2] puts back an order that was lost", async () => {
    await open(ONE, await started(), [task("alpha.erase")]);
    await raw("DEL", ...laneKeys(alpha).slice(0, 2));
    await open(ONE, await restarted(), [task("alpha.erase")]);
    expect(await claimed(store, alpha, "token")).toMatchObject([{ id: `${ONE}/alpha.erase` }]);
  });

  it("[I2] puts back the lost order of a task that had waited", async () => {
    const tasks = [task("alpha.erase"), task("beta.erase", { what: "wait", waits: ["alpha.erase"] })];
    await open(ONE, await started(), tasks);
    await claimed(store, alpha, "runner");
    const frees = [{ task: "beta.erase", subprocessor: "beta" }];
    const end = { token: "runner", settlements: [ends(ONE, "alpha.erase", 1, { frees })] };
    await store.settleAndClaim(alpha, end, undefined, NOW);
    await raw("DEL", ...laneKeys(beta).slice(0, 2));
    await open(ONE, await restarted(), tasks);
    expect(await claimed(store, beta, "token")).toMatchObject([{ id: `${ONE}/beta.erase` }]);
  });

  it("[I2] gives a task its order that was stuck without one", async () => {
    await open(ONE, await started(), [task("alpha.erase", { what: "open", payload: "", document: "stuck" })]);
    const start = await restarted();
    await twice(() => open(ONE, start, [task("alpha.erase")]));
    expect(await claimed(store, alpha, "token")).toMatchObject([{ id: `${ONE}/alpha.erase` }]);
    expect((await store.load([{ n, id: ONE }]))[0]?.["t:alpha.erase"]).toBe("planned alpha.erase");
  });

  it("[I2] lets a task wait that was stuck and may now learn from another", async () => {
    const stuck = task("beta.erase", { what: "open", payload: "", document: "stuck" });
    await open(ONE, await started(), [task("alpha.erase", { what: "open", payload: "", document: "stuck" }), stuck]);
    const waits = task("beta.erase", { what: "wait", waits: ["alpha.erase"] });
    await open(ONE, await restarted(), [task("alpha.erase"), waits]);
    await claimed(store, alpha, "runner");
    const frees = [{ task: "beta.erase", subprocessor: "beta" }];
    const end = { token: "runner", settlements: [ends(ONE, "alpha.erase", 1, { frees, learned: "lesson" })] };
    await store.settleAndClaim(alpha, end, undefined, NOW);
    expect(await claimed(store, beta, "token")).toMatchObject([{ id: `${ONE}/beta.erase`, learned: ["lesson"] }]);
  });

  it("[I2] lets a task not wait for one that had ended before it was planned", async () => {
    await open(ONE, await started(), [task("alpha.erase"), task("beta.erase")]);
    await claimed(store, alpha, "runner");
    const end = { token: "runner", settlements: [ends(ONE, "alpha.erase", 1)] };
    await store.settleAndClaim(alpha, end, undefined, NOW);
    const revoke = task("alpha.revoke", { what: "wait", waits: ["alpha.erase"] });
    await open(ONE, await restarted(), [task("alpha.erase"), task("beta.erase"), revoke]);
    expect(await claimed(store, alpha, "next")).toMatchObject([{ id: `${ONE}/alpha.revoke` }]);
  });

  it("[I2] frees a task that was planned to wait when the other had already begun", async () => {
    await open(ONE, await started(), [task("alpha.erase")]);
    await claimed(store, alpha, "runner");
    const tasks = [task("alpha.erase"), task("alpha.revoke", { what: "wait", waits: ["alpha.erase"] })];
    await open(ONE, await restarted(), tasks);
    // The runner holds the order of before, which names nothing that it frees.
    const end = { token: "runner", settlements: [ends(ONE, "alpha.erase", 1)] };
    await store.settleAndClaim(alpha, end, undefined, NOW);
    const [step] = await claimed(store, gateway, "next");
    if (step?.id === `start:${ONE}`) await open(ONE, { token: "next", attempt: step.attempt }, tasks);
    expect(await claimed(store, alpha, "next")).toMatchObject([{ id: `${ONE}/alpha.revoke` }]);
  });

  it("[I2] plans again where that was asked for while an older plan was being made", async () => {
    const old = await started();
    await store.restart([{ n, id: ONE, due: NOW, deadline: NOW + 30 * DAY, release: false }], NOW);
    await open(ONE, old, [task("alpha.erase")]);
    expect(await claimed(store, gateway, "starts-again")).toMatchObject([{ id: `start:${ONE}` }]);
  });
});

onEach("cancelling and starting again", engines, ({ store, dump, state, twice, raw, age }) => {
  const again = (id = ONE, release = false) =>
    store.restart([{ n, id, due: NOW, deadline: NOW + 30 * DAY, release }], NOW);

  it("[I12] cancels once, with everything sealed, and keeps the bare record for its time", async () => {
    await founded(store);
    await store.record([request(ONE, { startAt: NOW + DAY })]);
    const [first, second] = await twice(() => store.cancel(n, ONE, "cancelled document", KEEP, NOW));
    expect([first, second]).toEqual(["cancelled", "cancelled"]);
    expect(holding(await dump(), /sealed|wrapped key/)).toEqual([]);
    expect((await store.load([{ n, id: ONE }]))[0]).toEqual({ st: "cancelled", bh: "digest", d: "cancelled document" });
    expect(await store.list(n, true, undefined, 10)).toEqual([]);
    expect(await claimed(store, gateway, "token", { now: NOW + 40 * DAY })).toEqual([]);
    await age(KEEP - DAY);
    expect(await store.record([request(ONE)])).toMatchObject([{ result: "duplicate", status: "cancelled" }]);
    await age(2 * DAY);
    expect(await store.load([{ n, id: ONE }])).toEqual([{}]);
  });

  it("[I3] opens the gate with the cancellation, but for another closure, and a repeated delivery does not shut it", async () => {
    await founded(store);
    const closures = [ONE, TWO].map((id) => request(id, { closing: "ada", startAt: NOW + DAY }));
    await store.record(closures);
    await twice(() => store.cancel(n, ONE, "cancelled document", KEEP, NOW, "ada"));
    expect((await store.gate(n, "ada")).closing).toEqual([{ request: TWO, startAt: NOW + DAY }]);
    await store.cancel(n, TWO, "cancelled document", KEEP, NOW, "ada");
    expect(await store.record(closures)).toMatchObject([{ status: "cancelled" }, { status: "cancelled" }]);
    expect((await store.gate(n, "ada")).closing).toEqual([]);
    expect(Object.keys(await dump())).not.toContain(keys.closing(n, "ada"));
  });

  it("[I3] leaves the gate shut when a cancellation comes after the start", async () => {
    await founded(store);
    await store.record([request(ONE, { closing: "ada" })]);
    const start = await claimedOne(store, gateway, `start:${ONE}`, "starts");
    await store.open([opening(ONE, start, [task("alpha.erase")], { subject: "ada" })]);
    expect(await store.cancel(n, ONE, "cancelled document", KEEP, NOW, "ada")).toBe("not_scheduled open");
    expect(await store.gate(n, "ada")).toMatchObject({ requests: [ONE], closing: [{ request: ONE }] });
  });

  it("cancels nothing that is not there", async () => {
    expect(await store.cancel(n, ONE, "cancelled document", KEEP, NOW)).toBe("not_scheduled ");
    expect(await dump()).toEqual({});
  });

  it("cancels what is held, too", async () => {
    await founded(store);
    await store.record([request(ONE, { ceiling: { source: "hook", most: 1 } })]);
    await store.record([request(TWO, { ceiling: { source: "hook", most: 1 } })]);
    expect(await store.cancel(n, TWO, "cancelled document", KEEP, NOW)).toBe("cancelled");
    const [released] = await again(TWO, true);
    expect(released?.result).toBe("ended");
  });

  it("[I14] keeps a held request from starting until it is released", async () => {
    await founded(store);
    await store.record([request(ONE, { ceiling: { source: "hook", most: 1 } })]);
    await store.record([request(TWO, { ceiling: { source: "hook", most: 1 } })]);
    await claimed(store, gateway, "starts");
    const [held] = await twice(() => again(TWO));
    expect(held).toEqual([{ result: "held", wake: false }]);
    const [released] = await twice(() => again(TWO, true));
    expect(released).toEqual([{ result: "queued", wake: false }]);
    expect(await claimed(store, gateway, "next")).toMatchObject([{ id: `start:${TWO}` }]);
  });

  it("queues a start, and wakes the gateway's lane when it is asleep", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase")]);
    await claimed(store, gateway, "nothing");
    const [first, second] = await twice(() => again());
    expect([first, second]).toEqual([[{ result: "queued", wake: true }], [{ result: "queued", wake: false }]]);
  });

  it("starts nothing that has ended", async () => {
    await founded(store);
    const close = await closable(store, ONE);
    await store.close([closing(ONE, close)]);
    const before = await state();
    expect(await again()).toEqual([{ result: "ended", wake: false }]);
    expect(await again(TWO)).toEqual([{ result: "ended", wake: false }]);
    expect(await state()).toEqual(before);
  });

  const audit = (id = ONE) => store.audit([{ n, id, startAt: NOW, deadline: NOW + 30 * DAY }], NOW);

  it("[I2] puts back a lost start when a scheduled request is audited", async () => {
    await founded(store);
    await store.record([request(ONE)]);
    await raw("DEL", ...laneKeys(gateway).slice(0, 2));
    const [first] = await twice(() => audit());
    expect(first).toEqual([["scheduled"]]);
    expect(await claimed(store, gateway, "token")).toMatchObject([{ id: `start:${ONE}` }]);
  });

  it("[I2] puts back a lost close when an open request is audited", async () => {
    await founded(store);
    await closable(store, ONE);
    await raw("DEL", ...laneKeys(gateway).slice(0, 2));
    const [first] = await twice(() => audit());
    expect(first).toEqual([["open"]]);
    expect(await claimed(store, gateway, "token")).toMatchObject([{ id: `close:${ONE}` }]);
  });

  it("[I8] puts back a lost watch when an open request is audited", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase")]);
    await raw("DEL", ...laneKeys(gateway).slice(0, 2));
    await audit();
    expect(await store.look([{ lane: gateway, id: `watch:${ONE}` }])).toEqual(["waiting"]);
  });

  it("tells the open tasks of an audited request, and changes nothing where nothing is lost", async () => {
    await founded(store);
    await opened(store, ONE, [task("alpha.erase"), task("beta.erase")]);
    const before = await state();
    const [first] = await audit();
    expect([first?.[0], first?.slice(1).toSorted()]).toEqual(["open", ["alpha.erase", "beta.erase"]]);
    expect(await audit(TWO)).toEqual([["gone"]]);
    expect(await state()).toEqual(before);
  });

  it("[I14] does not start a held request when it is audited", async () => {
    await founded(store);
    await store.record([request(ONE, { ceiling: { source: "hook", most: 1 } })]);
    await store.record([request(TWO, { ceiling: { source: "hook", most: 1 } })]);
    const before = await state();
    await audit(TWO);
    expect(await state()).toEqual(before);
  });
});

onEach("closing a request", engines, ({ store, dump, state, twice, raw, age }) => {
  const close = async (...args: Parameters<typeof closing>) => (await store.close([closing(...args)]))[0];
  const linked = async (
    subject = "ada",
    fields: Readonly<Record<string, string>> = { "e:ada-index": "sealed ada" },
  ) => {
    await founded(store);
    await store.link(link(subject, { identities: [{ ...identity, since: NOW - DAY }], fields }));
  };
  const ada = { subject: "ada", subjectVersion: "1" };
  const ofSubject = { ...ada, erasesSubject: true, identities: [identity.index] };

  it("[I2] appends its receipt to the log exactly once, and keeps the compact record for its time", async () => {
    await founded(store);
    const held = await closable(store, ONE);
    const [first, second] = await twice(() => close(ONE, held));
    expect(first).toEqual({ result: "closed", woken: [] });
    expect(second).toEqual({ result: "late", woken: [] });
    expect(await store.log(n)).toEqual([`leaf of ${ONE}`]);
    const entry = (await dump())[keys.request(n, ONE)];
    expect(entry?.value).toEqual({ st: "closed", c: `0.receipt of ${ONE}`, bh: "digest" });
    expect(entry?.lifetimeMs).toBeGreaterThan(KEEP - MINUTE);
    expect(entry?.lifetimeMs).toBeLessThanOrEqual(KEEP);
    expect(await store.list(n, true, undefined, 10)).toEqual([]);
  });

  it("gives each receipt its own place in the log, of several closed in one trip, too", async () => {
    await founded(store);
    const [one, two] = [await closable(store, ONE), await closable(store, TWO)];
    await twice(() => store.close([closing(ONE, one), closing(TWO, two)]));
    expect(await store.log(n)).toEqual([`leaf of ${ONE}`, `leaf of ${TWO}`]);
    expect((await store.load([ONE, TWO].map((id) => ({ n, id })))).map(({ c }) => c)).toEqual([
      `0.receipt of ${ONE}`,
      `1.receipt of ${TWO}`,
    ]);
  });

  it("[I8] ends the watch and leaves none of the request's steps in the gateway's lane", async () => {
    await founded(store);
    await close(ONE, await closable(store, ONE));
    expect(await claimed(store, gateway, "token", { now: NOW + 400 * DAY })).toEqual([]);
    expect(holding({ lane: { value: (await dump())[laneKeys(gateway)[0]]?.value ?? "" } }, /req_/)).toEqual([]);
  });

  it("[I7] shreds all that was sealed for the request and its subject, in every key", async () => {
    await linked();
    const tasks = [
      task("alpha.erase"),
      task("beta.erase"),
      task("alpha.revoke", { what: "wait", waits: ["alpha.erase"] }),
    ];
    await opened(store, ONE, tasks, {
      ...ada,
      fields: { in: "interim receipt", "g:alpha.erase": "sealed tag" },
    });
    expect(holding(await dump(), /sealed|wrapped key/).length).toBeGreaterThan(3);
    await claimed(store, beta, "runner");
    const back = { token: "runner", settlements: [goesBack(ONE, "beta.erase", 1, { cursor: "sealed-cursor" })] };
    await store.settleAndClaim(beta, back, undefined, NOW);
    await claimed(store, beta, "runner-again");
    await claimed(store, alpha, "runner");
    const frees = [{ task: "alpha.revoke", subprocessor: "alpha" }];
    for (const [lane, token, end] of [
      [beta, "runner-again", ends(ONE, "beta.erase", 2, { learned: "sealed-lesson" })],
      [alpha, "runner", ends(ONE, "alpha.erase", 1, { frees, learned: "sealed-lesson" })],
    ] as const)
      await store.settleAndClaim(lane, { token, settlements: [end] }, undefined, NOW);
    await claimed(store, alpha, "next");
    const last = { token: "next", settlements: [ends(ONE, "alpha.revoke", 1)] };
    await store.settleAndClaim(alpha, last, undefined, NOW);
    const held = await claimedOne(store, gateway, `close:${ONE}`, "closes");
    const [first] = await twice(() => close(ONE, held, ofSubject));
    expect(first).toMatchObject({ result: "closed" });
    const left = await dump();
    expect(holding(left, /sealed|wrapped key|interim|ada-index/)).toEqual([]);
    // Besides the tenant's own, the log and lanes without orders: the closed record, and by which request the subject went.
    expect(Object.keys(left).filter((key) => !/^[thgowzk]:/.test(key))).toEqual([
      keys.request(n, ONE),
      keys.subject(n, "ada"),
    ]);
    expect(Object.keys(left).filter((key) => key.startsWith("l:"))).toEqual([]);
  });

  it("[I2] does not close while a task is open, and comes again with the last end", async () => {
    await founded(store);
    const held = await closable(store, ONE);
    await store.restart([{ n, id: ONE, due: NOW, deadline: NOW, release: false }], NOW);
    const start = await claimedOne(store, gateway, `start:${ONE}`, "starts-again");
    await store.open([opening(ONE, start, [task("beta.erase")])]);
    const [first] = await twice(() => close(ONE, held));
    expect(first).toEqual({ result: "not_open", woken: [] });
    expect((await store.load([{ n, id: ONE }]))[0]).toMatchObject({ st: "open", k: `wrapped key of ${ONE}` });
    expect(await store.log(n)).toEqual([]);
    await claimed(store, beta, "runner");
    const end = { token: "runner", settlements: [ends(ONE, "beta.erase", 1)] };
    await store.settleAndClaim(beta, end, undefined, NOW);
    expect(await claimed(store, gateway, "closes-again")).toMatchObject([{ id: `close:${ONE}` }]);
  });

  it("[I4] does not close with a receipt from before a task that was added and has ended meanwhile", async () => {
    await founded(store);
    const held = await closable(store, ONE);
    await store.restart([{ n, id: ONE, due: NOW, deadline: NOW, release: false }], NOW);
    const start = await claimedOne(store, gateway, `start:${ONE}`, "starts-again");
    await store.open([opening(ONE, start, [task("beta.erase")])]);
    await claimed(store, beta, "runner");
    const end = { token: "runner", settlements: [ends(ONE, "beta.erase", 1)] };
    await store.settleAndClaim(beta, end, undefined, NOW);
    expect(await close(ONE, held)).toMatchObject({ result: "late" });
    expect(await store.log(n)).toEqual([]);
  });

  it("answers stale to a receipt from an older record of the person, changes nothing, and keeps the close", async () => {
    await linked();
    const held = await closable(store, ONE, ada);
    const before = await state();
    expect(await close(ONE, held, { ...ofSubject, subjectVersion: "" })).toEqual({ result: "stale", woken: [] });
    expect(await state()).toEqual(before);
    expect(await close(ONE, held, ofSubject)).toMatchObject({ result: "closed" });
    expect(holding(await dump(), /sealed|wrapped key/)).toEqual([]);
  });

  it("[I2] plans again what was registered for the person after the plan, before anything is closed", async () => {
    await linked();
    const held = await closable(store, ONE, ada);
    await store.link(link("ada", { wrapped: "", fields: { "e:new": "sealed new" } }));
    const [first] = await twice(() => close(ONE, held, { ...ofSubject, subjectVersion: "2" }));
    expect(first?.result).toBe("replan");
    expect(await store.log(n)).toEqual([]);
    expect((await store.load([{ n, id: ONE }]))[0]).toMatchObject({ st: "open", k: `wrapped key of ${ONE}` });
    expect(await store.look([{ lane: gateway, id: `close:${ONE}` }])).toEqual(["missing"]);

    const start = await claimedOne(store, gateway, `start:${ONE}`, "starts-again");
    const planned = { ...ada, subjectVersion: "2" };
    await store.open([opening(ONE, start, [task("beta.erase")], planned)]);
    await claimed(store, beta, "runner");
    const end = { token: "runner", settlements: [ends(ONE, "beta.erase", 1)] };
    await store.settleAndClaim(beta, end, undefined, NOW);
    const again = await claimedOne(store, gateway, `close:${ONE}`, "closes-again");
    expect(await close(ONE, again, { ...ofSubject, subjectVersion: "2" })).toMatchObject({ result: "closed" });
    expect(holding(await dump(), /sealed|wrapped key/)).toEqual([]);
  });

  it("[I2] wakes the gateway's lane to plan again where it has fallen asleep", async () => {
    await linked();
    const held = await closable(store, ONE, ada);
    await store.link(link("ada", { wrapped: "" }));
    expect(await close(ONE, held, { now: NOW + AWAKE_MS, ...ofSubject })).toEqual({
      result: "replan",
      woken: [gateway],
    });
  });

  it("[I2] plans again where the person's record came only since", async () => {
    await founded(store);
    const held = await closable(store, ONE, { subject: "ada" });
    await store.link(link("ada"));
    expect(await close(ONE, held, { subject: "ada" })).toMatchObject({ result: "replan" });
  });

  it("lets the list forget what has expired", async () => {
    await founded(store);
    const longAgo = NOW - KEEP - 401 * DAY;
    await store.record([
      request(TWO, { now: longAgo, startAt: NOW + DAY }),
      request(idOf("later"), { now: longAgo + 2 * DAY, startAt: NOW + DAY }),
    ]);
    const held = await closable(store, ONE);
    await twice(() => close(ONE, held));
    expect((await store.list(n, false, undefined, 10)).map(({ id }) => id)).toEqual([ONE, idOf("later")]);
  });

  it("[I3] comes late when its lease has gone to another", async () => {
    await founded(store);
    const held = await closable(store, ONE);
    await claimed(store, gateway, "another", { now: NOW + LEASE });
    const before = await state();
    expect(await close(ONE, held)).toEqual({ result: "late", woken: [] });
    expect(await state()).toEqual(before);
  });

  it("[I12] keeps the subject while another open request needs it, and erases it with the last", async () => {
    await linked();
    const one = await closable(store, ONE, ada);
    const two = await closable(store, TWO, ada);
    await twice(() => close(ONE, one, ofSubject));
    expect(await store.gate(n, "ada")).toEqual({ known: true, gone: false, requests: [TWO], closing: [] });
    expect((await store.subjects([{ n, subject: "ada" }]))[0]).toMatchObject({
      k: "wrapped key of ada",
      "e:ada-index": "sealed ada",
    });
    // The second would not erase by itself: it goes because the first did.
    await twice(() => close(TWO, two, { ...ofSubject, erasesSubject: false }));
    expect(holding(await dump(), /sealed|wrapped key|ada-index/)).toEqual([]);
    expect(await store.gate(n, "ada")).toEqual({ known: false, gone: true, requests: [], closing: [] });
  });

  it("[I12] takes a closure from its subject's gate with the close, and leaves those that wait", async () => {
    await linked();
    await store.record([ONE, TWO].map((id, at) => request(id, { closing: "ada", startAt: NOW + at * DAY })));
    const start = await claimedOne(store, gateway, `start:${ONE}`, "starts");
    const ended = [task("alpha.erase", { what: "ended", document: "ended" })];
    await store.open([opening(ONE, start, ended, ada)]);
    const held = await claimedOne(store, gateway, `close:${ONE}`, "closes");
    const notices = [{ subprocessor: "beta", id: "notice:receipt", payload: "" }];
    const [first] = await twice(() => close(ONE, held, { ...ofSubject, closing: "ada", notices }));
    expect(first).toEqual({ result: "closed", woken: [beta] });
    // What waits does not hold up the erasure of the person's record.
    const waiting = [{ request: TWO, startAt: NOW + DAY }];
    expect(await store.gate(n, "ada")).toEqual({ known: false, gone: true, requests: [], closing: waiting });
    expect(holding(await dump(), /sealed ada|wrapped key of ada|ada-index/)).toEqual([]);

    const second = await claimedOne(store, gateway, `start:${TWO}`, "starts-two", NOW + DAY);
    await store.open([opening(TWO, second, ended, { now: NOW + DAY })]);
    const last = await claimedOne(store, gateway, `close:${TWO}`, "closes-two", NOW + DAY);
    await twice(() => close(TWO, last, { closing: "ada", now: NOW + DAY }));
    expect(Object.keys(await dump())).not.toContain(keys.closing(n, "ada"));
  });

  it("[I12] says for as long as the receipt by which request a subject went, and no longer", async () => {
    await linked();
    const held = await closable(store, ONE, ada);
    await twice(() => close(ONE, held, ofSubject));
    expect((await store.subjects([{ n, subject: "ada" }]))[0]).toEqual({ gone: ONE });
    await age(KEEP + MINUTE);
    expect(holding(await dump(), /ada/)).toEqual([]);
  });

  it("[I12] says by which erasure a subject went, where another request was the last to need it", async () => {
    await linked();
    const one = await closable(store, ONE, ada);
    const two = await closable(store, TWO, ada);
    await close(ONE, one, ofSubject);
    await close(TWO, two, { ...ofSubject, erasesSubject: false });
    expect((await store.subjects([{ n, subject: "ada" }]))[0]).toEqual({ gone: ONE });
  });

  it("[I3] refuses a new consent while an erasure is open, and changes nothing", async () => {
    await linked();
    const one = await closable(store, ONE, ada);
    const before = await dump();
    const back = { index: "new-index", suppression: "new-suppression", since: NOW };
    const consent = link("ada", {
      wrapped: "",
      lifts: true,
      identities: [back],
      fields: { "e:new-index": "sealed new" },
    });
    expect(await store.link(consent)).toEqual({ result: "under_erasure" });
    expect(await dump()).toEqual(before);
    await close(ONE, one, ofSubject);
    expect(await store.link({ ...consent, wrapped: "another key" })).toMatchObject({ result: "linked", isNew: true });
  });

  it("[I3] keeps the record of a person who comes back, and for good", async () => {
    await linked();
    const held = await closable(store, ONE, ada);
    await close(ONE, held, ofSubject);
    await store.link(link("ada", { wrapped: "another key" }));
    await age(KEEP + MINUTE);
    expect(await store.subjects([{ n, subject: "ada" }])).toEqual([{ k: "another key", at: String(NOW), v: "1" }]);
  });

  it("keeps the subject where nothing of the person was erased, but for what one holder had", async () => {
    await linked("ada", { "e:ada-index": "sealed ada", "e:object": "sealed object" });
    const held = await closable(store, ONE, ada);
    await twice(() => close(ONE, held, { ...ofSubject, erasesSubject: false, forgets: ["e:object"] }));
    expect((await store.subjects([{ n, subject: "ada" }]))[0]).toMatchObject({ "e:ada-index": "sealed ada", v: "1" });
    expect(holding(await dump(), /sealed object/)).toEqual([]);
    expect(await store.subjectsOf([{ n, pseudonym: identity.index }])).toEqual(["ada"]);
  });

  it("[I12] forgets whose an object was with the object", async () => {
    await founded(store);
    const object = { index: "object-index", suppression: "object-suppression" };
    const fields = { "e:ada-index": "sealed ada", "e:object-index": "sealed object" };
    await store.link(link("ada", { identities: [identity, object], fields }));
    const held = await closable(store, ONE, ada);
    const more = { subject: "ada", subjectVersion: "1", identities: [identity.index, object.index] };
    await close(ONE, held, { ...more, forgets: ["e:object-index"] });
    expect(holding(await dump(), /object/)).toEqual([]);
  });

  it("[I9] writes a residue under a key of its own, due on its day, and leaves it when the request is shredded", async () => {
    await founded(store);
    const held = await closable(store, ONE);
    const residue = `${ONE}/alpha.erase`;
    const residues = [{ id: residue, due: NOW + 90 * DAY, wrapped: "residue's own key", sealed: "vendor's id" }];
    await twice(() => close(ONE, held, { residues }));
    expect(await store.residue(n, residue)).toEqual({ k: "residue's own key", s: "vendor's id" });
    expect(holding(await dump(), /residue's own key/)).toEqual([keys.residue(n, residue)]);
    expect(await claimed(store, gateway, "early", { now: NOW + 90 * DAY - 1 })).toEqual([]);
    await store.sweep([gateway], NOW + DAY);
    expect(await store.dueLanes(NOW + 90 * DAY, 10)).toContain(gateway);
    const [order] = await claimed(store, gateway, "token", { now: NOW + 90 * DAY });
    expect(order?.id).toBe(`residue:${residue}`);
    await twice(() => store.dropResidue(n, residue));
    expect(holding(await dump(), /residue's own key/)).toEqual([]);
  });

  it("queues a notice for each holder that wants to know, once, and wakes its lane", async () => {
    await founded(store);
    const held = await closable(store, ONE);
    const notices = ["alpha", "beta"].map((subprocessor) => ({ subprocessor, id: "notice:receipt", payload: "" }));
    const [first] = await twice(() => close(ONE, held, { notices }));
    expect(first).toEqual({ result: "closed", woken: [alpha, beta] });
    expect(await claimed(store, alpha, "token")).toMatchObject([{ id: "notice:receipt", attempt: 1 }]);
    expect(await claimed(store, beta, "token")).toHaveLength(1);
  });

  it("takes everything at once: identities, residues, notices and what is forgotten", async () => {
    await linked("ada", { "e:ada-index": "sealed ada", "e:object": "sealed object" });
    const held = await closable(store, ONE, ada);
    const residue = { due: NOW + DAY, wrapped: "own key", sealed: "own seal" };
    const everything = {
      ...ofSubject,
      identities: [identity.index, "second-index"],
      forgets: ["e:object", "e:ada-index"],
      residues: [
        { ...residue, id: "one" },
        { ...residue, id: "two" },
      ],
      notices: [{ subprocessor: "beta", id: "notice:receipt", payload: "payload" }],
    };
    const [first] = await twice(() => close(ONE, held, everything));
    expect(first).toEqual({ result: "closed", woken: [beta] });
    expect(holding(await dump(), /sealed|wrapped key|index/)).toEqual([]);
    expect(await store.residue(n, "two")).toEqual({ k: "own key", s: "own seal" });
    expect(await claimed(store, beta, "token")).toMatchObject([{ payload: "payload" }]);
  });

  it("[I3] takes a repeated delivery for a duplicate after the close, too", async () => {
    await founded(store);
    await close(ONE, await closable(store, ONE));
    const before = await state();
    expect(await store.record([request(ONE)])).toEqual([{ result: "duplicate", wake: false, status: "closed" }]);
    expect((await state())[laneKeys(gateway)[0]]).toEqual(before[laneKeys(gateway)[0]]);
    expect(await raw("EXISTS", keys.openTasks(n, ONE))).toBe(0);
  });
});

onEach("what the gateway does again and again", engines, ({ store, twice }) => {
  it("stands in its lane once, and keeps its time however often it is asked for", async () => {
    await founded(store);
    await twice(() => store.schedule(n, [{ id: "duty:alpha/recheck", due: NOW + HOUR }], NOW));
    await store.schedule(n, [{ id: "duty:alpha/recheck", due: NOW + 2 * HOUR }], NOW);
    expect(await claimed(store, gateway, "early", { now: NOW + HOUR - 1 })).toEqual([]);
    expect(await claimed(store, gateway, "then", { now: NOW + HOUR })).toMatchObject([{ id: "duty:alpha/recheck" }]);
  });
});
