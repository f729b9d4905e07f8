import { expect, it } from "vitest";
import { keys } from "../../../src/platform/keys.ts";
import { createStore } from "../../../src/platform/store.ts";
import { change, DAY, founded, HOUR, link, NOW, n, ONE, opened, task, tenant } from "../samples.ts";
import { engines, onEach, repeating } from "../stand.ts";

onEach("keeping tenants", engines, ({ store, client, state, twice }) => {
  it("never gives a slug or a number twice", async () => {
    expect(await store.tenantCount()).toBe(0);
    const [first, second] = await twice(() => store.reserve("acme", "token"));
    expect([first, second]).toEqual(["1", "1"]);
    expect(await store.reserve("acme", "another")).toBeUndefined();
    expect(await store.reserve("other", "token")).toBe("2");
    expect(await store.numberOf("acme")).toBe("1");
    expect(await store.numberOf("nobody")).toBeUndefined();
    expect(await store.tenantCount()).toBe(2);
  });

  it("gives one of many who want a slug at the same time its number", async () => {
    const numbers = await Promise.all(Array.from({ length: 8 }, (_, at) => store.reserve("acme", `token${at}`)));
    expect(numbers.filter((number) => number !== undefined)).toEqual(["1"]);
  });

  it("[I3] gives the slug to who reserved it where the answer was lost and the client repeated the call", async () => {
    const unlucky = createStore(repeating(client, () => true));
    expect(await unlucky.reserve("acme", "token")).toBe("1");
  });

  it("changes a tenant from the version that the change was made from, and keeps who changed what", async () => {
    expect(await store.snapshot(n)).toBeUndefined();
    await twice(() => store.change(n, "", tenant, change));
    expect(await store.snapshot(n)).toEqual({ version: "1", tenant });
    const next = { ...tenant, name: "Acme Ltd" };
    await twice(() => store.change(n, "1", next, { ...change, what: "renamed" }));
    expect(await store.snapshot(n)).toEqual({ version: "2", tenant: next });
    expect(await store.history(n, 0, 10)).toEqual([
      { ...change, version: "1" },
      { ...change, version: "2", what: "renamed" },
    ]);
    expect(await store.history(n, 1, 1)).toHaveLength(1);
  });

  it("refuses a change that was made from an older version, and changes nothing", async () => {
    await founded(store);
    expect(await store.change(n, "1", { ...tenant, name: "First" }, change)).toBe(true);
    const before = await state();
    expect(await store.change(n, "1", { ...tenant, name: "Second" }, change)).toBe(false);
    expect(await store.change(n, "", { ...tenant, name: "Third" }, change)).toBe(false);
    expect(await state()).toEqual(before);
  });

  it("lets one of several changes at the same time win", async () => {
    await founded(store);
    const results = await Promise.all(
      ["a", "b", "c"].map((name) => store.change(n, "1", { ...tenant, name }, { ...change, what: name })),
    );
    expect(results.filter((changed) => changed)).toHaveLength(1);
    expect(await store.history(n, 0, 10)).toHaveLength(2);
  });

  it("[I3] says that a change was made where the answer was lost and the client repeated the call", async () => {
    await founded(store);
    const unlucky = createStore(repeating(client, () => true));
    expect(await unlucky.change(n, "1", { ...tenant, name: "Acme Ltd" }, change)).toBe(true);
    expect(await store.history(n, 0, 10)).toHaveLength(2);
  });

  it("answers while the store can be reached", async () => {
    await expect(store.ping()).resolves.toBeUndefined();
  });
});

onEach("linking a subject", engines, ({ store, dump, state, twice, raw }) => {
  const ada = { index: "ada-index", suppression: "ada-suppression" };
  const bob = { index: "bob-index", suppression: "bob-suppression" };
  const known = { wrapped: "" };
  const suppress = (value: string) => store.suppress(n, [{ pseudonym: ada.suppression, value, lifetimeMs: 300 * DAY }]);
  const entry = async () => (await store.suppressed(n, [ada.suppression]))[0];

  it("writes a new record with its key, and tells the repeat that the record is there", async () => {
    const [first, second] = await twice(() =>
      store.link(link("ada", { identities: [ada, bob], fields: { "e:ada-index": "sealed ada" } })),
    );
    expect(first).toEqual({ result: "linked", isNew: true, suppressed: [], requests: [] });
    expect(second).toEqual({ result: "changed" });
    expect((await store.subjects([{ n, subject: "ada" }]))[0]).toEqual({
      k: "wrapped key of ada",
      at: String(NOW),
      v: "1",
      "e:ada-index": "sealed ada",
    });
    expect(await store.subjectsOf([ada.index, bob.index, "nobody"].map((pseudonym) => ({ n, pseudonym })))).toEqual([
      "ada",
      "ada",
      undefined,
    ]);
  });

  it("adds to a record, raises its version, and repeats that without harm but for the version", async () => {
    await store.link(link("ada"));
    const more = link("ada", { ...known, identities: [bob], fields: { "e:bob-index": "sealed bob" } });
    expect(await store.link(more)).toEqual({ result: "linked", isNew: false, suppressed: [], requests: [] });
    const before = await store.subjects([{ n, subject: "ada" }]);
    await store.link(more);
    expect(await store.subjects([{ n, subject: "ada" }])).toEqual([{ ...before[0], v: "3" }]);
  });

  it("asks to seal again where the record went meanwhile, and changes nothing", async () => {
    expect(await store.link(link("ada", known))).toEqual({ result: "changed" });
    expect(await dump()).toEqual({});
  });

  it("[I3] refuses an identity of another subject, names it, and changes nothing", async () => {
    await store.link(link("ada", { identities: [ada] }));
    const before = await state();
    const [first] = await twice(() =>
      store.link(link("bob", { identities: [bob, ada], fields: { "e:bob-index": "sealed bob" } })),
    );
    expect(first).toEqual({ result: "taken", identity: 1 });
    expect(await state()).toEqual(before);
  });

  it("[I12] reports an identity under erasure and leaves its suppression", async () => {
    await suppress(`erased ${ONE}`);
    const linked = await store.link(link("ada", { identities: [bob, { ...ada, since: NOW }] }));
    expect(linked).toEqual({ result: "linked", isNew: true, suppressed: [1], requests: [] });
    expect(await entry()).toBe(`erased ${ONE}`);
  });

  it("lifts a suppression by a new consent, and only for the identities that come with it", async () => {
    await suppress(`erased ${ONE}`);
    await store.suppress(n, [{ pseudonym: bob.suppression, value: `erased ${ONE}`, lifetimeMs: DAY }]);
    const consent = link("ada", { identities: [ada], lifts: true });
    expect(await store.link(consent)).toMatchObject({ result: "linked", suppressed: [] });
    expect(await store.suppressed(n, [ada.suppression, bob.suppression])).toEqual([undefined, `erased ${ONE}`]);
  });

  it("[I3] drops what only keeps echoes away with a newer connection, and by nothing less", async () => {
    await suppress(`acted ${ONE}`);
    expect(await store.link(link("ada", { identities: [ada] }))).toMatchObject({ suppressed: [] });
    expect(await entry()).toBe(`acted ${ONE}`);
    const connected = link("ada", { ...known, now: NOW + HOUR, identities: [{ ...ada, since: NOW + HOUR }] });
    expect(await store.link(connected)).toMatchObject({ suppressed: [] });
    expect(await entry()).toBeUndefined();
  });

  it("[I3] keeps what keeps echoes away when an older connection is told", async () => {
    await store.link(link("ada", { identities: [{ ...ada, since: NOW }] }));
    await suppress(`acted ${ONE}`);
    await store.link(link("ada", { ...known, identities: [{ ...ada, since: NOW - DAY }] }));
    expect(await entry()).toBe(`acted ${ONE}`);
  });

  it("[I3] keeps since when an identity is connected, unless it is connected anew", async () => {
    const since = () => raw("HGET", keys.identity(n, ada.index), "at");
    await store.link(link("ada", { identities: [{ ...ada, since: NOW + HOUR }] }));
    await store.link(link("ada", { ...known, now: NOW + DAY, identities: [ada] }));
    expect(await since()).toBe(String(NOW + HOUR));
    await store.link(link("ada", { ...known, identities: [{ ...ada, since: NOW + DAY }] }));
    expect(await since()).toBe(String(NOW + DAY));
  });

  it("[I3] takes a time only from who states it: a link alone makes no older signal stale", async () => {
    await store.link(link("ada", { identities: [ada] }));
    const lies = async () => (await dump())[keys.identity(n, ada.index)]?.value;
    expect(await lies()).toEqual({ s: "ada" });
    await store.link(link("ada", { ...known, identities: [{ ...ada, since: NOW - DAY }] }));
    expect(await lies()).toEqual({ s: "ada", at: String(NOW - DAY) });
  });

  it("[I3] does not take an identity back to an older connection", async () => {
    await store.link(link("ada", { identities: [{ ...ada, since: NOW }] }));
    await store.link(link("ada", { ...known, identities: [{ ...ada, since: NOW - DAY }] }));
    expect(await raw("HGET", keys.identity(n, ada.index), "at")).toBe(String(NOW));
  });

  it("tells the open requests that what is linked has to join", async () => {
    await founded(store);
    await store.link(link("ada", { identities: [ada] }));
    await opened(store, ONE, [task("alpha.erase")], { subject: "ada", subjectVersion: "1" });
    await suppress(`erased ${ONE}`);
    expect(await store.link(link("ada", { ...known, identities: [ada, bob] }))).toEqual({
      result: "linked",
      isNew: false,
      suppressed: [0],
      requests: [ONE],
    });
    expect(await store.gate(n, "ada")).toEqual({ known: true, gone: false, requests: [ONE], closing: [] });
    expect(await store.standing(n, "ada")).toEqual({ known: true, gone: false });
    expect(await store.gate(n, "nobody")).toEqual({ known: false, gone: false, requests: [], closing: [] });
  });

  it("keeps the suppression that is there when one is added, and its lifetime", async () => {
    await suppress(`erased ${ONE}`);
    const added = { pseudonym: ada.suppression, value: "acted later", lifetimeMs: DAY };
    await twice(() => store.suppress(n, [added]));
    expect(await entry()).toBe(`erased ${ONE}`);
    expect((await dump())[keys.suppression(n, ada.suppression)]?.lifetimeMs).toBeGreaterThan(299 * DAY);
  });
});
