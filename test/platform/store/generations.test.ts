import fc from "fast-check";
import { expect, it } from "vitest";
import type { RequestId } from "../../../src/ids.ts";
import { keys } from "../../../src/platform/keys.ts";
import { NOTE_MS, type Opening } from "../../../src/platform/store/requests.ts";
import type { Store } from "../../../src/platform/store.ts";
import {
  claimed,
  claimedOne,
  DAY,
  founded,
  gateway,
  HOUR,
  idOf,
  KEEP,
  link,
  NOW,
  n,
  ONE,
  opening,
  request,
  SECOND,
  TWO,
  task,
} from "../samples.ts";
import { type Dump, engines, onEach } from "../stand.ts";

const identity = { index: "ada-index", suppression: "ada-suppression" };
const key = keys.identity(n, identity.index);

/** What a vendor says of Ada's account there, at a time by its own clock. */
const said = (signalAt: number, more: Parameters<typeof request>[1] = {}) => ({
  identities: [identity],
  signalAt,
  echoOf: "alpha",
  ...more,
});
const deleted = (at: number, by = "alpha") => said(at, { heeds: by, echoOf: by });
const restored = (at: number, by = "alpha") => said(at, { noteOnly: true, restores: by, restoredAt: at, echoOf: by });

/** What a start asks for whose request a signal caused. */
const aged = (at: number, heeds = "alpha"): Partial<Opening> => ({
  signal: { at, heeds, identities: [identity.index], cancelled: "cancelled document", keepMs: KEEP },
});

async function started(store: Store, id: RequestId, more: Partial<Opening>, by = "starts") {
  const start = await claimedOne(store, gateway, `start:${id}`, by);
  const open = () => store.open([opening(id, start, [task("alpha.erase")], more)]);
  return { open };
}

onEach("a new generation", engines, ({ store, state, dump, twice, age }) => {
  const recorded = async (...[id, more]: Parameters<typeof request>) => (await store.record([request(id, more)]))[0];
  const noted = async (id: RequestId) => (await store.load([{ n, id }]))[0];

  it("[I3] begins with a restore: a deletion from before it is noted, and one from after it is obeyed", async () => {
    await founded(store);
    const [first, second] = await twice(() => recorded(idOf("back"), restored(NOW - HOUR)));
    expect(first).toEqual({ result: "noted", why: "recorded" });
    expect(second).toMatchObject({ result: "duplicate" });
    const [late] = await twice(() => recorded(ONE, deleted(NOW - HOUR - SECOND)));
    expect(late).toEqual({ result: "noted", why: "superseded" });
    expect(await noted(ONE)).toMatchObject({ st: "noted", note: "superseded", by: "restored" });
    expect(await recorded(TWO, deleted(NOW - HOUR + 1))).toMatchObject({ result: "recorded" });
  });

  it("[I3] is never put back by an older restore that comes later", async () => {
    await founded(store);
    await recorded(idOf("newer"), restored(NOW));
    await twice(() => recorded(idOf("older"), restored(NOW - DAY)));
    expect(await recorded(ONE, deleted(NOW - HOUR))).toMatchObject({ why: "superseded" });
  });

  it("takes the restore for the later of two that bear one time, and a connection not", async () => {
    await founded(store);
    await recorded(idOf("back"), restored(NOW));
    expect(await recorded(ONE, deleted(NOW))).toMatchObject({ why: "superseded" });
    await store.link(link("eve", { identities: [{ index: "eve", suppression: "eve", since: NOW }] }));
    const eve = { ...deleted(NOW), identities: [{ index: "eve", suppression: "eve" }] };
    expect(await recorded(TWO, eve)).toMatchObject({ result: "recorded" });
  });

  it("lifts only what the very same subprocessor has said", async () => {
    await founded(store);
    await recorded(idOf("back"), restored(NOW));
    expect(await recorded(ONE, deleted(NOW - HOUR, "beta"))).toMatchObject({ result: "recorded" });
    expect(await recorded(TWO, deleted(NOW - HOUR, "alpha"))).toMatchObject({ why: "superseded" });
  });

  it("lifts nothing that people ask for, and no end of a grant", async () => {
    await founded(store);
    await recorded(idOf("back"), restored(NOW));
    expect(await recorded(ONE, said(NOW - HOUR))).toMatchObject({ result: "recorded" });
    await store.link(link("ada", { identities: [{ ...identity, since: NOW }] }));
    expect(await recorded(TWO, said(NOW - HOUR)), "only a newer connection does").toMatchObject({ why: "superseded" });
    expect(await noted(TWO)).toMatchObject({ by: "connection" });
  });

  it("makes of a stranger nobody's, for forty days; linked, it lasts as long as the link", async () => {
    await founded(store);
    await recorded(idOf("back"), restored(NOW));
    expect((await dump())[key]).toEqual({ value: { "re:alpha": String(NOW) }, lifetimeMs: expect.any(Number) });
    expect(await store.subjectsOf([{ n, pseudonym: identity.index }])).toEqual([undefined]);
    await age(NOTE_MS - HOUR);
    expect(await recorded(ONE, deleted(NOW - HOUR))).toMatchObject({ why: "superseded" });
    await twice(() => store.link(link("ada", { identities: [identity] })));
    expect((await dump())[key]).toEqual({ value: { s: "ada", "re:alpha": String(NOW) } });
    await age(300 * DAY);
    expect(await recorded(TWO, deleted(NOW - HOUR))).toMatchObject({ why: "superseded" });
  });

  it("[I12] is forgotten after forty days where nobody was linked, and a newer restore begins them anew", async () => {
    await founded(store);
    await recorded(idOf("back"), restored(NOW));
    await age(30 * DAY);
    await recorded(idOf("again"), restored(NOW + 30 * DAY));
    await age(30 * DAY);
    expect((await dump())[key]).toBeDefined();
    await age(11 * DAY);
    expect((await dump())[key]).toBeUndefined();
  });

  it("leaves a linked identity without a lifetime, and its connection as it was", async () => {
    await founded(store);
    await store.link(link("ada", { identities: [{ ...identity, since: NOW - DAY }] }));
    await twice(() => recorded(idOf("back"), restored(NOW)));
    expect((await dump())[key]).toEqual({ value: { s: "ada", at: String(NOW - DAY), "re:alpha": String(NOW) } });
  });

  it("begins with nothing but a restore", async () => {
    await founded(store);
    await recorded(ONE, said(NOW, { noteOnly: true }));
    expect((await dump())[key]).toBeUndefined();
  });

  it.each([
    ["obeys a deletion from after a restore that was after our own act", NOW - HOUR, "alpha", "recorded"],
    ["takes it for an echo where we acted after the restore", NOW - 3 * HOUR, "alpha", "noted"],
    ["takes it for an echo where the restore was another's", NOW - HOUR, "beta", "noted"],
  ])("%s", async (_, at, by, result) => {
    await founded(store);
    const acted = { pseudonym: identity.suppression, value: `acted ${TWO} alpha`, lifetimeMs: 40 * DAY - 2 * HOUR };
    await store.suppress(n, [acted]);
    await twice(() => recorded(idOf("back"), restored(at, by)));
    expect(await recorded(ONE, deleted(NOW))).toMatchObject({ result });
  });

  it("[I3] ends what waits for its start when a restore comes, with nothing of it left", async () => {
    await founded(store);
    await recorded(ONE, deleted(NOW - HOUR));
    await recorded(idOf("back"), restored(NOW));
    const { open } = await started(store, ONE, aged(NOW - HOUR));
    const [[first], [second]] = await twice(open);
    expect(first).toEqual({ result: "superseded", woken: [], supersededBy: "restored" });
    expect(second).toMatchObject({ result: "late" });
    expect(await noted(ONE)).toEqual({ st: "cancelled", d: "cancelled document", by: "restored", bh: "digest" });
    expect(await claimed(store, gateway, "looks", { now: NOW + 90 * DAY })).toEqual([]);
    expect(await store.list(n, true, undefined, 10)).toEqual([]);
    const left = await dump();
    expect(Object.keys(left).filter((name) => /^(ro|uo|l|o):/.test(name) && name.includes(ONE))).toEqual([]);
    // Its last claim is remembered, so that a repeat of it gets the same batch.
    expect(left[keys.orders(n, "gateway")]?.value).toEqual({ "~r": `starts start:${ONE}` });
    expect(left[keys.request(n, ONE)]?.lifetimeMs).toBeGreaterThan(0);
    expect(await recorded(ONE, deleted(NOW - HOUR))).toMatchObject({ result: "duplicate", status: "cancelled" });
  });

  it.each<readonly [string, (store: Store) => Promise<unknown>, string]>([
    ["a newer connection", (at) => at.link(link("ada", { identities: [{ ...identity, since: NOW }] })), "superseded"],
    ["an older connection", (at) => at.link(link("ada", { identities: [{ ...identity, since: NOW - DAY }] })), "open"],
    ["another's restore", (at) => at.record([request(TWO, restored(NOW, "beta"))]), "open"],
    ["an older restore", (at) => at.record([request(TWO, restored(NOW - DAY))]), "open"],
    ["nothing", async () => undefined, "open"],
  ])("[I3] compares again at the start: after %s", async (_, come, result) => {
    await founded(store);
    await recorded(ONE, deleted(NOW - HOUR));
    await come(store);
    const { open } = await started(store, ONE, aged(NOW - HOUR));
    expect((await open())[0]).toMatchObject({ result });
  });

  it("[I14] ends a held request in the same way, once somebody releases it", async () => {
    await founded(store);
    const ceiling = { source: "hook", most: 1 };
    await recorded(TWO, { ceiling });
    expect(await recorded(ONE, { ...deleted(NOW - HOUR), ceiling })).toEqual({ result: "held" });
    await recorded(idOf("back"), restored(NOW));
    await store.restart([{ n, id: ONE, due: NOW, deadline: NOW + 30 * DAY, release: true }], NOW);
    const { open } = await started(store, ONE, aged(NOW - HOUR));
    expect((await open())[0]).toMatchObject({ result: "superseded" });
  });

  it("[I3] has one winner: what has started goes on, whatever is restored then", async () => {
    await founded(store);
    await recorded(ONE, deleted(NOW - HOUR));
    const { open } = await started(store, ONE, aged(NOW - HOUR));
    expect((await open())[0]).toMatchObject({ result: "open" });
    await recorded(idOf("back"), restored(NOW));
    await store.restart([{ n, id: ONE, due: NOW, deadline: NOW, release: false }], NOW);
    const again = await started(store, ONE, aged(NOW - HOUR), "starts again");
    expect((await again.open())[0]).toMatchObject({ result: "open" });
    expect(await store.cancel(n, ONE, "x", KEEP, NOW)).toMatch(/^not_scheduled/);
  });

  it("leaves what somebody has cancelled as it is", async () => {
    await founded(store);
    await recorded(ONE, deleted(NOW - HOUR));
    await recorded(idOf("back"), restored(NOW));
    const { open } = await started(store, ONE, aged(NOW - HOUR));
    await store.cancel(n, ONE, "cancelled by hand", KEEP, NOW);
    const before = await state();
    expect((await open())[0]).toMatchObject({ result: "late" });
    expect(await state()).toEqual(before);
    expect(await noted(ONE)).toMatchObject({ d: "cancelled by hand" });
  });
});

/** One thing that happened to Ada's account, at a second of its own clock. */
type Happening = {
  readonly what: "connected" | "disabled" | "deleted" | "restored" | "deauthorized";
  readonly at: number;
  readonly by: "alpha" | "beta";
};

const happening = fc.record<Happening>({
  what: fc.constantFrom("connected", "disabled", "deleted", "restored", "deauthorized"),
  // Few moments, so that some are the same.
  at: fc.integer({ min: 1, max: 6 }).map((second) => NOW + second * SECOND),
  by: fc.constantFrom("alpha", "beta"),
});

/** What happened, and two orders in which it may arrive, with repeats. */
const arrivals = fc
  .uniqueArray(happening, { minLength: 1, maxLength: 7, selector: ({ what, at, by }) => `${what} ${at} ${by}` })
  .chain((all) => {
    const order = fc
      .tuple(
        fc.shuffledSubarray([...all.keys()], { minLength: all.length }),
        fc.array(fc.nat(all.length - 1), { maxLength: 4 }),
      )
      .map(([each, repeats]) => [...each, ...repeats]);
    return fc.tuple(fc.constant(all), order, order);
  });

onEach("whatever happens, in whatever order it arrives", engines, ({ kind, store, dump, flush }) => {
  const idAt = (index: number) => idOf(`event${index}`);

  async function arrives({ what, at, by }: Happening, index: number) {
    if (what === "connected") {
      const entry = link("ada", { identities: [{ ...identity, since: at }] });
      const first = await store.link(entry);
      if (first.result === "changed") await store.link({ ...entry, wrapped: "" });
      return;
    }
    const more = {
      disabled: said(at, { noteOnly: true, echoOf: by }),
      deauthorized: said(at, { echoOf: by }),
      deleted: deleted(at, by),
      restored: restored(at, by),
    }[what];
    await store.record([request(idAt(index), more)]);
  }

  /** What is carried out once everything has arrived and all that waits is started. */
  async function carriedOut(all: readonly Happening[], order: readonly number[]) {
    await flush();
    await founded(store);
    for (const index of order) {
      const one = all[index];
      if (one !== undefined) await arrives(one, index);
    }
    for (const { id, attempt } of await claimed(store, gateway, "starts")) {
      const index = all.findIndex((_, at) => id === `start:${idAt(at)}`);
      const one = all[index];
      if (one === undefined) continue;
      const heeds = one.what === "deleted" ? one.by : "";
      await store.open([opening(idAt(index), { token: "starts", attempt }, [], aged(one.at, heeds))]);
    }
    const loaded = await store.load(all.map((_, index) => ({ n, id: idAt(index) })));
    return { open: loaded.map(({ st }) => st === "open"), identity: heldOf(await dump()) };
  }

  const heldOf = (all: Dump) => all[key]?.value;

  /** The rule, said once more and without any order. */
  function expected(all: readonly Happening[]): readonly boolean[] {
    const latest = (is: (one: Happening) => boolean) => Math.max(0, ...all.filter(is).map(({ at }) => at));
    const connectedAt = latest(({ what }) => what === "connected");
    return all.map(({ what, at, by }) => {
      if (what === "deauthorized") return at >= connectedAt;
      return (
        what === "deleted" && at >= connectedAt && at > latest((other) => other.what === "restored" && other.by === by)
      );
    });
  }

  it("[I3] ends in a state that the times of the events decide, and nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, async ([all, one, other]) => {
        const first = await carriedOut(all, one);
        expect(first.open).toEqual(expected(all));
        expect(await carriedOut(all, other)).toEqual(first);
      }),
      // Both engines are handed the same scripts; the one in memory is the slower by far.
      { numRuns: kind === "memory" ? 20 : 60 },
    );
  }, 120_000);
});
