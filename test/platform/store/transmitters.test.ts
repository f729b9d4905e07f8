import { expect, it } from "vitest";
import { laneName } from "../../../src/platform/keys.ts";
import { POLL_ORDER } from "../../../src/platform/scripts/poll.ts";
import { AWAKE_MS } from "../../../src/platform/store/lanes.ts";
import { VERIFIED_WITHIN_MS } from "../../../src/platform/store/transmitters.ts";
import { LEASE, MINUTE, NOW, n } from "../samples.ts";
import { engines, onEach } from "../stand.ts";

const LANE = laneName(n, "idp");
const STATE = "0123456789abcdef0123456789abcdef";

onEach("streams of security events", engines, ({ store, twice, age }) => {
  const claim = async (now: number, token = "t1") => {
    const asked = { token, most: 10, leaseUntil: now + LEASE, run: "r1" };
    const { claim } = await store.settleAndClaim(LANE, undefined, asked, now);
    return claim?.state === "batch" ? claim.orders : [];
  };

  it("[I3] puts the order to poll into a lane once, and wakes it", async () => {
    const [first, second] = await twice(() => store.keepPolling([LANE], NOW));
    expect([first, second]).toEqual([[LANE], []]);
    expect((await claim(NOW)).map(({ id }) => id)).toEqual([POLL_ORDER]);
  });

  it("leaves an order that is there its time, its memory and its holder", async () => {
    await store.keepPolling([LANE], NOW);
    const [order] = await claim(NOW);
    await store.keepPolling([LANE], NOW);
    const back = { id: POLL_ORDER, attempt: order?.attempt ?? 0, deadline: NOW, what: "back" as const };
    const settlements = [{ ...back, due: NOW + MINUTE, cursor: "memory" }];
    const { settled } = await store.settleAndClaim(LANE, { token: "t1", settlements, release: "r1" }, undefined, NOW);
    expect(settled?.results).toEqual(["applied"]);
    const later = NOW + AWAKE_MS / 2;
    await store.keepPolling([LANE], later);
    expect(await claim(later, "t2")).toEqual([]);
    expect((await claim(NOW + 2 * MINUTE, "t3"))[0]).toMatchObject({ id: POLL_ORDER, cursor: "memory" });
  });

  it("expects a verification for some minutes, however often it comes, and no other", async () => {
    await twice(() => store.expectVerification(n, "idp", STATE, NOW));
    expect(await store.isExpected(n, "idp", STATE)).toBe(true);
    expect(await store.isExpected(n, "idp", STATE)).toBe(true);
    expect(await store.isExpected(n, "other", STATE)).toBe(false);
    for (const state of ["", "x", STATE.replace("0", "1"), `${STATE}:x`, "*"])
      expect(await store.isExpected(n, "idp", state), state).toBe(false);
    await age(VERIFIED_WITHIN_MS + 1);
    expect(await store.isExpected(n, "idp", STATE)).toBe(false);
  });

  it("keeps how a stream stands", async () => {
    expect(await store.stream(n, "idp")).toEqual({});
    await twice(() => store.streamVerified(n, "idp", NOW));
    await twice(() => store.streamStatus(n, "idp", "paused", "maintenance", NOW));
    await twice(() => store.streamPolled(n, "idp", "", NOW));
    await twice(() => store.streamPolled(n, "idp", "timed_out", NOW + MINUTE));
    await twice(() => store.keepStreamToken(n, "idp", "v1.a.b", NOW + MINUTE));
    expect(await store.stream(n, "idp")).toEqual({
      v: String(NOW),
      st: "paused",
      sr: "maintenance",
      sa: String(NOW),
      pa: String(NOW + MINUTE),
      po: String(NOW),
      pp: "timed_out",
      tk: "v1.a.b",
      tu: String(NOW + MINUTE),
    });
  });
});
