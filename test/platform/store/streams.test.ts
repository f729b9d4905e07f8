import { expect, it } from "vitest";
import { tenantNumber } from "../../../src/ids.ts";
import { keys } from "../../../src/platform/keys.ts";
import { gatewayOf } from "../../../src/platform/store/lanes.ts";
import { createStore } from "../../../src/platform/store.ts";
import {
  change,
  claimed,
  DAY,
  founded,
  gateway,
  LEASE,
  link,
  MINUTE,
  NOW,
  n,
  ONE,
  request,
  SECOND,
  TWO,
  tenant,
} from "../samples.ts";
import { engines, onEach, repeating } from "../stand.ts";

const STREAM = "vendor/news";
const place = (cursor: number, origin = "https://one.example") => ({
  cursor: String(cursor),
  at: NOW + cursor,
  origin,
});

onEach("listening to streams", engines, ({ store, client, state, twice, raw, roundTrips }) => {
  const take = (reader: string, now = NOW) => store.takeStream(STREAM, reader, now, now + LEASE);
  const taken = (at?: ReturnType<typeof place>, failures = 0) => ({ result: "taken", place: at, failures });

  it("[I10] gives a stream to one reader at a time, until its lease ends or it lets go", async () => {
    const [first, again] = await twice(() => take("ann"));
    expect([first, again]).toEqual([taken(), taken()]);
    expect(await take("bob", NOW + LEASE - 1)).toEqual({ result: "busy" });
    expect(await take("bob", NOW + LEASE)).toEqual(taken());
    expect(await store.advanceStream(STREAM, "bob", { now: NOW + LEASE })).toBe(true);
    expect(await take("cat", NOW + LEASE)).toEqual(taken());
  });

  it("keeps a stream by what is durable, and never puts back what another has read since", async () => {
    await take("ann");
    const advance = { now: NOW, leaseUntil: NOW + LEASE, place: place(5), counts: { messages: 3 } };
    const answers = await twice(() => store.advanceStream(STREAM, "ann", advance));
    expect(answers).toEqual([true, true]);
    await take("bob", NOW + LEASE);
    await store.advanceStream(STREAM, "bob", { now: NOW, leaseUntil: NOW + 2 * LEASE, place: place(9) });
    const before = await state();
    expect(await store.advanceStream(STREAM, "ann", { now: NOW, place: place(6) })).toBe(false);
    expect(await state()).toEqual(before);
    const [seen] = await store.streams([STREAM]);
    expect(seen).toEqual({
      at: NOW + 9,
      readAt: NOW,
      origin: "https://one.example",
      failures: 0,
      counts: { messages: 3 },
    });
  });

  it("[I3] goes on where it stopped where the client repeats each call because an answer was lost", async () => {
    const unlucky = createStore(repeating(client, () => true));
    await unlucky.takeStream(STREAM, "ann", NOW, NOW + LEASE);
    await unlucky.advanceStream(STREAM, "ann", { now: NOW, leaseUntil: NOW + LEASE, place: place(5) });
    await unlucky.advanceStream(STREAM, "ann", { now: NOW, failures: 0, place: place(7) });
    expect(await take("bob")).toEqual(taken(place(7)));
  });

  it("rests after failures, remembers how many, and what was missed", async () => {
    await take("ann");
    await store.advanceStream(STREAM, "ann", { now: NOW, leaseUntil: NOW + LEASE, gap: [NOW - DAY, NOW] });
    const failed = { now: NOW, failures: 2, restUntil: NOW + MINUTE, reason: "rate_limited" };
    await store.advanceStream(STREAM, "ann", failed);
    expect(await take("bob", NOW + MINUTE - 1)).toEqual({ result: "resting" });
    expect(await take("bob", NOW + MINUTE)).toEqual(taken(undefined, 2));
    expect(await store.streams([STREAM, "vendor/other"])).toEqual([
      { readAt: NOW, failures: 2, reason: "rate_limited", counts: {}, gap: [NOW - DAY, NOW] },
      { failures: 0, counts: {} },
    ]);
    await store.advanceStream(STREAM, "bob", { now: NOW, failures: 0, reason: "" });
    expect((await store.streams([STREAM]))[0]).toEqual({
      readAt: NOW,
      failures: 0,
      counts: {},
      gap: [NOW - DAY, NOW],
    });
  });

  const listening = async (integration: string) => (await store.listening([integration])).get(integration);

  it("writes who listens together with the registry, and never from an older one", async () => {
    await twice(() => store.change(n, "", tenant, change, { vendor: true, other: false }));
    expect(await listening("vendor")).toEqual([n]);
    expect(await listening("other")).toEqual([]);
    expect(await store.change(n, "", tenant, { ...change, what: "late" }, { vendor: false })).toBe(false);
    await store.enrol(n, "0", { vendor: false });
    expect(await listening("vendor")).toEqual([n]);
    await raw("DEL", keys.listening("vendor"));
    await twice(() => store.enrol(n, "1", { vendor: true, other: false }));
    expect(await listening("vendor")).toEqual([n]);
    await twice(() => store.change(n, "1", tenant, { ...change, what: "retired" }, { vendor: false, other: true }));
    expect(await listening("vendor")).toEqual([]);
    expect(await listening("other")).toEqual([n]);
  });

  it("says of several integrations in one round trip who listens, and in none of none", async () => {
    await store.change(n, "", tenant, change, { vendor: true, other: false });
    const before = roundTrips();
    expect(await store.listening(["vendor", "other"])).toEqual(
      new Map([
        ["vendor", [n]],
        ["other", []],
      ]),
    );
    expect(roundTrips() - before).toBe(1);
    expect(await store.listening([])).toEqual(new Map());
    expect(roundTrips() - before).toBe(1);
  });

  it("[I6] finds the few who are known among many, each at their own tenant, in two round trips", async () => {
    await store.link(link("ada", { identities: [{ index: "ada-index", suppression: "ada-suppression" }] }));
    const lookups = Array.from({ length: 1000 }, (_, at) => ({ n, pseudonym: `stranger-${at}` }));
    const before = roundTrips();
    expect((await store.known(lookups)).some((known) => known)).toBe(false);
    expect(roundTrips() - before, "nobody: one is enough").toBe(1);
    const other = tenantNumber(2);
    const mixed = [
      ...lookups.slice(0, 500),
      { n, pseudonym: "ada-index" },
      { n: other, pseudonym: "ada-index" },
      ...lookups.slice(500),
    ];
    const answers = await store.known(mixed);
    expect(answers.flatMap((known, at) => (known ? [at] : []))).toEqual([500]);
    expect(roundTrips() - before).toBe(3);
    expect(await store.known([])).toEqual([]);
  });

  it("[I5] holds what has to be confirmed, with an order to find out, and watches its deadline", async () => {
    await founded(store);
    const [first, again] = await twice(() => store.record([request(ONE, { confirms: true })]));
    expect([first, again]).toEqual([
      [{ result: "held", wake: true }],
      [{ result: "duplicate", wake: false, status: "scheduled" }],
    ]);
    expect((await store.load([{ n, id: ONE }]))[0]).toMatchObject({ st: "scheduled", held: "confirmation" });
    expect((await claimed(store, gateway, "token")).map(({ id }) => id)).toEqual([`confirm:${ONE}`]);
    const started = { n, id: ONE, due: NOW, deadline: NOW + 30 * DAY, release: true };
    await twice(() => store.restart([started], NOW));
    expect((await store.load([{ n, id: ONE }]))[0]?.held).toBeUndefined();
    expect((await claimed(store, gateway, "next")).map(({ id }) => id)).toEqual([`start:${ONE}`]);
  });

  it("[I14] leaves to a person what passes the ceiling besides, and does not let it go on when it is confirmed", async () => {
    await founded(store);
    const ceiling = { source: "stream", most: 1 };
    await store.record([request(ONE, { confirms: true, ceiling }), request(TWO, { confirms: true, ceiling })]);
    expect((await store.load([{ n, id: TWO }]))[0]).toMatchObject({ held: "ceiling" });
    expect((await claimed(store, gateway, "token")).map(({ id }) => id)).toEqual([`confirm:${ONE}`]);
  });

  it("only notes what the policy lets cause nothing, and asks nobody", async () => {
    await founded(store);
    expect(await store.record([request(ONE, { confirms: true, noteOnly: true })])).toEqual([
      { result: "noted", why: "recorded" },
    ]);
    expect(await claimed(store, gateway, "token")).toEqual([]);
  });

  it("cancels what was contradicted, with its order and all that was sealed", async () => {
    await founded(store);
    await store.record([request(ONE, { confirms: true })]);
    await claimed(store, gateway, "token");
    await twice(() => store.cancel(n, ONE, "cancelled", DAY, NOW));
    expect((await store.load([{ n, id: ONE }]))[0]).toEqual({ st: "cancelled", d: "cancelled", bh: "digest" });
    expect(await claimed(store, gateway, "late", { now: NOW + LEASE + SECOND })).toEqual([]);
  });

  it("[I2] puts back a lost confirmation when a held request is audited", async () => {
    await founded(store);
    await store.record([request(ONE, { confirms: true })]);
    await raw("DEL", `l:${gatewayOf(n)}`, `o:${gatewayOf(n)}`);
    await twice(() => store.audit([{ n, id: ONE, startAt: NOW, deadline: NOW + 30 * DAY }], NOW));
    const ids = (await claimed(store, gateway, "token")).map(({ id }) => id);
    expect(ids).toEqual([`confirm:${ONE}`]);
  });
});
