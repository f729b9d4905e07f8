import { describe, expect, it } from "vitest";
import type { SignalType } from "../../src/contract/signal.ts";
import type { Ports } from "../../src/ports.ts";
import { CLOCK_SKEW_MS, heeds, restores, senderOf } from "../../src/request/generation.ts";
import { start } from "../../src/request/start.ts";
import { viewOf } from "../../src/request/view.ts";
import { bench, NOW, summary } from "./samples.ts";

const HOUR = 3_600_000;
const customer = { type: "shop.customer", value: "cus_1", subprocessor: "shop" };
const told = (signal: SignalType, signalAt: number) => ({
  source: "shop/events",
  authority: "here" as const,
  scope: "shop",
  identities: [customer],
  signal,
  signalAt,
});

describe("what a restore takes back", () => {
  it.each<[SignalType, boolean]>([
    ["account_deleted", true],
    ["erasure_requested", false],
    ["deauthorized", false],
    ["token_revoked", false],
    ["account_disabled", false],
    ["account_restored", false],
    ["content_deleted", false],
    ["consent_withdrawn", false],
    ["access_requested", false],
  ])("of %s: %s", (signal, isTakenBack) => {
    expect(heeds(signal, "shop")).toBe(isTakenBack ? "shop" : "");
  });

  it("is said by a restore alone, and heeded by nobody's request", () => {
    expect(restores("account_restored", "shop")).toBe("shop");
    expect(restores("account_deleted", "shop")).toBe("");
    expect([heeds(undefined, "api"), restores(undefined, "api")]).toEqual(["", ""]);
    expect([senderOf("shop/import"), senderOf("api")]).toEqual(["shop", "api"]);
  });
});

describe("a signal's time", () => {
  it("stands in the request that it causes, and in no request that somebody makes", async () => {
    const at = await bench();
    const [caused, asked] = [await at.request("caused", told("account_deleted", NOW - HOUR)), await at.request("ada")];
    const documentOf = (id: string) => JSON.parse(at.requests.get(id)?.d ?? "{}");
    expect(documentOf(caused)).toMatchObject({ signal: "account_deleted", signal_at: "2026-11-21T08:00:00.000Z" });
    expect(documentOf(asked)).not.toHaveProperty("signal");
    expect(documentOf(asked)).not.toHaveProperty("signal_at");
    expect(at.recorded).toMatchObject([
      { signalAt: NOW - HOUR, heeds: "shop", restores: "" },
      { signalAt: 0, heeds: "", restores: "" },
    ]);
  });

  it("begins a generation where it is a restore's, but none that lies ahead of every clock", async () => {
    const at = await bench();
    await at.request("now", told("account_restored", NOW));
    await at.request("ahead", told("account_restored", NOW + 1000 * HOUR));
    expect(at.recorded).toMatchObject([
      { restores: "shop", restoredAt: NOW, heeds: "" },
      { restores: "shop", restoredAt: NOW + CLOCK_SKEW_MS },
    ]);
  });

  it("is compared again at the start, and not when an open request is planned anew", async () => {
    const at = await bench();
    const [caused, asked] = [await at.request("caused", told("account_deleted", NOW - HOUR)), await at.request("ada")];
    await at.run(start, "start", [caused, asked]);
    const index = await at.context.keys.pseudonym("index", customer);
    expect(at.openings[0]?.signal).toMatchObject({ at: NOW - HOUR, heeds: "shop", identities: [index] });
    expect(JSON.parse(at.openings[0]?.signal?.cancelled ?? "{}")).toMatchObject({
      id: caused,
      cancelled_at: "2026-11-21T09:00:00.000Z",
    });
    expect(at.openings[1]).not.toHaveProperty("signal");
    at.requests.set(caused, { ...at.requests.get(caused), st: "open" });
    await at.run(start, "start", [caused]);
    expect(at.openings[2]).not.toHaveProperty("signal");
  });
});

it("leaves no step behind of what has been superseded, says so, and shows why", async () => {
  const at = await bench();
  const id = await at.request("caused", told("account_deleted", NOW - HOUR));
  const superseded = { result: "superseded", woken: [], supersededBy: "restored" } as const;
  const ports: Ports = { ...at.ports, store: { ...at.ports.store, open: async (all) => all.map(() => superseded) } };
  const done = await start(ports, at.context, "token", [at.step("start", id)]);
  expect(summary(done.settlements)).toEqual([]);
  expect(done.woken).toEqual([]);
  expect(at.events).toContain(`request_superseded ${id}`);

  const { k: _, s: __, ...left } = at.requests.get(id) ?? {};
  at.requests.set(id, { ...left, st: "cancelled", by: "restored" });
  const store = { ...at.ports.store, look: async () => [] };
  expect(await viewOf({ ...at.ports, store }, at.context, id)).toMatchObject({
    status: "cancelled",
    superseded_by: "restored",
    tasks: [],
  });
  at.requests.set(id, { st: "noted", note: "superseded", by: "connection", at: String(NOW) });
  expect(await viewOf({ ...at.ports, store }, at.context, id)).toMatchObject({
    noted: "superseded",
    superseded_by: "connection",
  });
});
