import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { absent, defineIntegration, type Hook, type Integration } from "../../src/contract/integration.ts";
import { secret } from "../../src/contract/settings.ts";
import { json, type Read } from "../../src/contract/signal.ts";
import { tenantNumber } from "../../src/ids.ts";
import { quarantine, released } from "../../src/intake/quarantine.ts";
import { find, understand } from "../../src/intake/understand.ts";
import type { KeptDelivery } from "../../src/platform/store/deliveries.ts";
import type { NewRequest } from "../../src/platform/store/requests.ts";
import { createVault } from "../../src/platform/vault.ts";
import type { Ports } from "../../src/ports.ts";
import type { Context } from "../../src/registry/load.ts";
import { Policy } from "../../src/request/policy.ts";
import { proven } from "../support/proven.ts";

const SOURCE = "https://vendor.example.com/docs";
const NONE = absent("none", SOURCE);
const NOW = Date.parse("2026-11-21T09:00:00Z");
const n = tenantNumber(1);

/** How this version reads, and how a later one does: by then the vendor's `person` may be a number too. */
const reading = (person: z.ZodType<string>): Read =>
  json(z.object({ id: z.string(), person }), (event, { signed, claimed }) => [
    {
      id: `${event.id} ${signed("x-id") ?? ""} ${claimed("x-kind") ?? ""}`,
      name: "gone",
      signals: [{ type: "account_deleted", identity: { type: "vendor.person", value: event.person }, at: NOW }],
    },
  ]);
const today = reading(z.string());
const later = reading(z.union([z.string(), z.number().transform(String)]));

const vendorThat = (read: Read): Integration => {
  const hook: Hook = {
    source: SOURCE,
    verify: { scheme: "standard-webhooks", key: "secret", withinSeconds: 300 },
    contentTypes: ["application/json"],
    read,
    authority: { account_deleted: "here" },
    retriesForHours: 1,
    events: ["gone"],
  };
  return defineIntegration({
    id: "vendor",
    name: "Vendor",
    about: "A vendor that is made up.",
    origins: [],
    settings: { secret: secret("Secret") },
    identities: { "vendor.person": "Person" },
    hooks: { events: hook },
    oauth: NONE,
    actions: { erase: NONE, revoke: NONE },
    residuals: [],
    retainable: [],
    limits: { connections: 1 },
  });
};

/** A store that keeps deliveries and requests, and nothing else. */
async function stand() {
  const kept = new Map<string, KeptDelivery>();
  const requests = new Map<string, NewRequest>();
  const logged: string[] = [];
  const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
  const vault = createVault([{ id: "k1", bytes: random(32) }], random);
  const keys = await vault.tenant(n, await vault.newTenant(n));
  const tenant = {
    n,
    slug: "acme",
    status: "active",
    policy: Policy.parse({}),
    policyVersion: 1,
    holds: [],
    subprocessors: Object.assign(Object.create(null), {
      vendor: { id: "vendor", integration: "vendor", settings: {} },
    }),
  };
  const once = async <T>(_: string, make: () => Promise<T>) => make();
  const portsOf = (read: Read) =>
    ({
      now: () => NOW,
      random,
      log: (event: string, facts: object) => void logged.push(`${event} ${JSON.stringify(facts)}`),
      later: () => undefined,
      wake: async () => undefined,
      integrations: new Map([["vendor", vendorThat(read)]]),
      store: {
        quarantine: async (_: string, id: string, delivery: KeptDelivery) => {
          if (!kept.has(id)) kept.set(id, delivery);
          return true;
        },
        delivery: async (_: string, id: string) => kept.get(id),
        record: async (all: readonly NewRequest[]) =>
          all.map((request) => {
            const isKnown = requests.has(request.id);
            requests.set(request.id, request);
            return { result: isKnown ? "duplicate" : "recorded", wake: false };
          }),
      },
      // What the quarantine and its replay use.
    }) as unknown as Ports;
  // The rest of a context is not reached here.
  const context = { version: "1", tenant, keys, loadedAt: NOW, secrets: async () => [], once } as unknown as Context;
  return { kept, requests, logged, portsOf, context };
}

describe("a delivery that was proven and not understood", () => {
  let the: Awaited<ReturnType<typeof stand>>;
  beforeEach(async () => {
    the = await stand();
  });
  const text = JSON.stringify({ id: "evt_1", person: 42 });
  const headers = { "x-id": "msg_1", "x-kind": "gone", authorization: "Bearer secret", cookie: "a=b" };
  const arrive = async () => {
    const ports = the.portsOf(today);
    const found = find(ports, the.context, { subprocessor: "vendor", endpoint: "events" });
    if (found === undefined) throw new Error("the hook is there");
    const delivery = proven(text, headers, NOW);
    const understood = await understand(ports, found, delivery);
    if (understood.ok) throw new Error("today's version cannot read it");
    return quarantine(ports, found, delivery, understood.problem.at, Object.entries(headers));
  };
  const replay = async (read: Read, id: string) => {
    const ports = the.portsOf(read);
    const back = await released(ports, the.context, id);
    const found = back === undefined ? undefined : find(ports, the.context, back.facts);
    if (back === undefined || found === undefined) throw new Error("it is kept");
    return understand(ports, found, back.proven);
  };

  it("is kept once, sealed, without credentials, and says where it did not fit", async () => {
    expect(await arrive()).toBe(true);
    expect(await arrive()).toBe(true);
    expect(the.kept.size).toBe(1);
    const [[id = "", delivery] = []] = the.kept;
    expect(JSON.parse(delivery?.facts ?? "{}")).toMatchObject({
      subprocessor: "vendor",
      endpoint: "events",
      at: "person",
    });
    expect(JSON.stringify([...the.kept])).not.toMatch(/42|evt_1|msg_1/);
    expect(the.logged.join()).not.toMatch(/42|evt_1|msg_1/);
    const back = await released(the.portsOf(today), the.context, id);
    expect(back?.proven).toMatchObject({ text, receivedAt: NOW });
    for (const name of ["authorization", "cookie"]) expect(back?.proven.claimed(name)).toBeUndefined();
  });

  it("is still not understood by the same version, and then records nothing", async () => {
    await arrive();
    const [id = ""] = the.kept.keys();
    expect(await replay(today, id)).toEqual({ ok: false, problem: { reason: "unreadable", at: "person" } });
    expect(the.requests.size).toBe(0);
  });

  it("[I3] causes what it would have caused once a version can read it, and that once, however often it is replayed", async () => {
    await arrive();
    const [id = ""] = the.kept.keys();
    const [first, second] = [await replay(later, id), await replay(later, id)];
    expect(first).toMatchObject({ ok: true, value: [{ recorded: { result: "recorded" } }] });
    expect(second).toMatchObject({ ok: true, value: [{ recorded: { result: "duplicate" } }] });
    expect(the.requests.size).toBe(1);
    // The very request that the vendor's own repeat would open: with the headers that were signed, and those that were not.
    const ports = the.portsOf(later);
    const found = find(ports, the.context, { subprocessor: "vendor", endpoint: "events" });
    if (found === undefined) throw new Error("the hook is there");
    expect(await understand(ports, found, proven(text, headers, NOW))).toMatchObject({
      value: [{ recorded: { result: "duplicate" } }],
    });
  });

  it("opens with no other tenant's keys", async () => {
    await arrive();
    const [[id = "", delivery] = []] = the.kept;
    const other = await stand();
    if (delivery !== undefined) other.kept.set(id, delivery);
    await expect(released(other.portsOf(today), other.context, id)).rejects.toMatchObject({ name: "CannotOpen" });
  });
});
