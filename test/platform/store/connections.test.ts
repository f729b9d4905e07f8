import { expect, it } from "vitest";
import { tenantNumber } from "../../../src/ids.ts";
import type { NewConnection, Take } from "../../../src/platform/store/connections.ts";
import { claimedOne, founded, gateway, idOf, opening, request as requested, task } from "../samples.ts";
import { engines, onEach } from "../stand.ts";

const n = tenantNumber(1);
const id = `con_11${"0".repeat(32)}`;
const NOW = 1_800_000_000_000;

const landed: NewConnection = {
  n,
  id,
  subprocessor: "sign-in",
  account: "pseudonym",
  household: "household",
  document: "{}",
  wrapped: "wrapped",
  grant: "grant 1",
  expiresAt: NOW + 3_600_000,
  isRenewable: true,
  code: "digest of the code",
  now: NOW,
  step: { id: `connection:${id}`, due: NOW + 600_000 },
};

const take = (runner: string, now: number, by = "key_1"): Take => ({
  n,
  id,
  now,
  until: now + 60_000,
  runner,
  leaseUntil: now + 45_000,
  by,
  except: [],
});

onEach("a connection in the store", engines, ({ store, twice, dump, age }) => {
  const active = async () => {
    await store.land(landed);
    await store.confirm(n, id, "digest of the code", "ada", NOW);
  };
  const held = {
    result: "held",
    wrapped: "wrapped",
    grant: "grant 1",
    version: "1",
    subprocessor: "sign-in",
    wasCutOff: false,
  };

  it("[I3] lands whole, with the step that revokes it unless somebody confirms it", async () => {
    await twice(() => store.land(landed));
    const [hash] = await store.connections([{ n, id }]);
    expect(hash).toMatchObject({ st: "unconfirmed", p: "sign-in", t: "grant 1", v: "1" });
    const one = [`sign-in ${id}`];
    expect(await store.ofAccounts(n, ["pseudonym", "household", "nobody"])).toEqual([one, one, []]);
    expect(await store.look([{ lane: "1:gateway", id: `connection:${id}` }])).toEqual(["waiting"]);
  });

  it("is confirmed with its own code, for one subject, as often as that is said", async () => {
    await store.land(landed);
    const confirm = (code: string, subject: string) => store.confirm(n, id, code, subject, NOW);
    expect(await confirm("another digest", "ada")).toBe("refused");
    expect(await twice(() => confirm("digest of the code", "ada"))).toEqual(["confirmed", "confirmed"]);
    expect(await confirm("digest of the code", "eve")).toBe("refused");
    expect(await store.confirm(n, "con_none", "digest of the code", "ada", NOW)).toBe("none");
    await store.ending(n, [id]);
    expect(await confirm("digest of the code", "ada")).toBe("ended");
  });

  it("gives its grant to a product only while it is in use, and counts each time once", async () => {
    await store.land(landed);
    expect(await store.takeGrant(take("a", NOW))).toEqual({ result: "not_active", state: "unconfirmed" });
    expect(await store.takeGrant(take("a", NOW, ""))).toEqual(held);
    await store.confirm(n, id, "digest of the code", "ada", NOW);
    expect(await twice(() => store.takeGrant(take("b", NOW)))).toEqual([held, held]);
    expect((await store.connections([{ n, id }]))[0]).toMatchObject({ gn: "1", gb: "key_1" });
    const except = ["another", landed.subprocessor];
    expect(await twice(() => store.takeGrant({ ...take("c", NOW), except }))).toEqual([
      { result: "not_in_force", subprocessor: landed.subprocessor },
      { result: "not_in_force", subprocessor: landed.subprocessor },
    ]);
    expect(await store.takeGrant({ ...take("c", NOW + 4_000_000), except })).toMatchObject({ result: "not_in_force" });
    expect((await store.connections([{ n, id }]))[0]).toMatchObject({ gn: "1" });
    expect((await store.connections([{ n, id }]))[0]).not.toHaveProperty("l");
    await twice(() => store.ending(n, [id]));
    expect(await store.takeGrant(take("c", NOW))).toEqual({ result: "not_active", state: "ending" });
    expect(await store.takeGrant({ ...take("c", NOW), id: "con_none" })).toEqual({ result: "none" });
  });

  it("[I3] is shut by the very start of the request that ends it, and by none that does not start", async () => {
    await founded(store);
    await active();
    const status = async () => (await store.connections([{ n, id }]))[0]?.st;
    const asks = async (name: string, starts: number, more: Parameters<typeof opening>[3] = {}) => {
      const request = idOf(name);
      await store.record([requested(request)]);
      const start = await claimedOne(store, gateway, `start:${request}`, `starts ${name}`);
      const open = () => store.open([opening(request, start, [task("alpha.revoke")], { connections: [id], ...more })]);
      const [first] = starts === 2 ? await twice(open) : [await open()];
      return first?.[0]?.result;
    };
    expect(await asks("stale", 1, { version: "0" })).toBe("stale");
    expect(await status()).toBe("active");
    expect(await asks("starts", 2)).toBe("open");
    expect(await status()).toBe("ending");
    await store.endConnections(n, [{ id, subprocessor: "sign-in", account: "a", household: "h", how: "first" }]);
    expect(await asks("later", 1)).toBe("open");
    expect(await status()).toBe("ended");
    expect(await asks("nobody", 1, { connections: ["con_none"] })).toBe("open");
    expect(await store.connections([{ n, id: "con_none" }])).toEqual([{}]);
  });

  it("counts a token once that is given out because no newer one was to be had", async () => {
    await active();
    const ahead = NOW + 3_600_000 - 30_000;
    await store.takeGrant(take("a", ahead));
    await twice(() => store.letGo({ n, id, runner: "a", given: { by: "key_1", now: ahead } }));
    expect((await store.connections([{ n, id }]))[0]).toMatchObject({ gn: "1", ga: String(ahead), gb: "key_1" });
    await store.letGo({ n, id: "con_none", runner: "a", given: { by: "key_1", now: ahead } });
    expect(await store.connections([{ n, id: "con_none" }])).toEqual([{}]);
  });

  it("is renewed by one runner; others use what is good still, or wait", async () => {
    await active();
    const ahead = NOW + 3_600_000 - 30_000;
    const renewing = { ...held, result: "renew" };
    expect(await twice(() => store.takeGrant(take("a", ahead)))).toEqual([renewing, renewing]);
    expect(await store.takeGrant(take("b", ahead))).toEqual(held);
    expect(await store.takeGrant(take("b", NOW + 3_600_000))).toEqual({ result: "busy" });
    const renewal = { n, id, now: ahead, runner: "a", by: "key_1", version: "1", isRenewable: true };
    const fresh = { ...renewal, grant: "grant 2", expiresAt: NOW + 7_200_000 };
    expect(await twice(() => store.renewed(fresh))).toEqual([true, true]);
    expect(await store.takeGrant(take("b", NOW + 3_600_000))).toEqual({ ...held, grant: "grant 2", version: "2" });
    // Whoever comes late with what was made of the old one changes nothing.
    expect(await store.renewed({ ...fresh, runner: "late", grant: "grant 2b" })).toBe(false);
    expect((await store.connections([{ n, id }]))[0]).toMatchObject({ t: "grant 2", v: "2", gn: "3" });
  });

  it("goes to the next runner where the first is never heard of again, who is told so", async () => {
    await active();
    const expired = NOW + 3_600_000;
    await store.takeGrant(take("a", expired));
    expect(await store.takeGrant(take("b", expired + 44_000))).toEqual({ result: "busy" });
    expect(await store.takeGrant(take("b", expired + 46_000))).toEqual({ ...held, result: "renew", wasCutOff: true });
    await twice(() => store.letGo({ n, id, runner: "b" }));
    expect(await store.takeGrant(take("c", expired + 47_000))).toEqual({ ...held, result: "renew", wasCutOff: false });
  });

  it("[I7] destroys its tokens with its end, keeps the first word of it, and is forgotten after a while", async () => {
    await active();
    const end = { id, subprocessor: "sign-in", account: "pseudonym", household: "household" };
    await twice(() => store.endConnections(n, [{ ...end, how: "first" }]));
    await store.endConnections(n, [{ ...end, how: "second" }]);
    expect((await store.connections([{ n, id }]))[0]).toMatchObject({ st: "ended", r: "first" });
    const left = JSON.stringify(await dump());
    for (const gone of ["grant 1", "wrapped", "digest of the code"]) expect(left).not.toContain(gone);
    expect(await store.ofAccounts(n, ["pseudonym", "household"])).toEqual([[], []]);
    expect(await store.takeGrant(take("a", NOW))).toEqual({ result: "ended", end: "first" });
    expect(
      await store.renewed({
        n,
        id,
        now: NOW,
        runner: "a",
        by: "",
        version: "1",
        grant: "late",
        expiresAt: undefined,
        isRenewable: true,
      }),
    ).toBe(false);
    await age(41 * 86_400_000);
    expect(await store.connections([{ n, id }])).toEqual([{}]);
  });

  it("[I5] gives a ticket and a state once, and not at all after ten minutes", async () => {
    await store.keepTicket(n, "one", "sealed ticket");
    await store.keepState(n, "one", "sealed state");
    expect([await store.takeTicket(n, "one"), await store.takeTicket(n, "one")]).toEqual(["sealed ticket", undefined]);
    expect([await store.takeState(n, "one"), await store.takeState(n, "one")]).toEqual(["sealed state", undefined]);
    await store.keepState(n, "two", "sealed state");
    await age(600_001);
    expect(await store.takeState(n, "two")).toBeUndefined();
  });

  it("keeps one client's key for a tenant, whoever makes it, and asks nobody to make it again", async () => {
    const made: string[] = [];
    const make = (name: string) => async () => {
      made.push(name);
      return name;
    };
    const both = await Promise.all([store.clientKey(n, make("first")), store.clientKey(n, make("second"))]);
    expect(new Set(both).size).toBe(1);
    const before = made.length;
    expect(await store.clientKey(n, make("third"))).toBe(both[0]);
    expect(made).toHaveLength(before);
  });
});
