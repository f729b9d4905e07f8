import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { newApiKey } from "../../src/api/auth.ts";
import { subprocessors } from "../../src/api/subprocessors.ts";
import { at, bearer, type Call, del, get, postJson } from "../../src/contract/call.ts";
import { type Check, readable } from "../../src/contract/check.ts";
import { type Absent, absent } from "../../src/contract/integration.ts";
import type { Settings } from "../../src/contract/settings.ts";
import { examine } from "../../src/lanes/examine.ts";
import { type App, CannotOpen, type Ports } from "../../src/ports.ts";
import { type Answered, bench, entry, holder, SOURCE, TIMED_OUT } from "./samples.ts";

const LIST = at`https://api.acme.example/contacts?limit=1`;
const checkBy = (call: (apiKey: string) => Call, more: Partial<Check<Settings>> = {}): Check<Settings> => ({
  source: SOURCE,
  shows: "the key reads contacts",
  *run({ apiKey = "" }) {
    return readable(yield call(apiKey), z.looseObject({}), "the key lacks contacts.read");
  },
  ...more,
});
const reads = checkBy((apiKey) => get(LIST, bearer(apiKey)));

async function gateway(check: Check<Settings> | Absent | undefined, answers: readonly Answered[] = []) {
  const bed = await bench();
  bed.answers(...answers);
  const acme = holder({ ...(check !== undefined && { check }) });
  const ports: Ports = { ...bed.ports, integrations: new Map([[acme.id, acme]]) };
  return { ...bed, ports, acme, examined: () => examine(ports, bed.context, "acme") };
}

describe("examining a subprocessor", () => {
  it("says what a good answer shows, and asks nobody for more", async () => {
    const { examined, calls } = await gateway(reads, [{ status: 200, body: {} }]);
    expect(await examined()).toMatchObject({ subprocessor: "acme", result: "fine", what: "the key reads contacts" });
    expect(calls).toHaveLength(1);
  });

  it.each<[Answered, string]>([
    [{ status: 401 }, "unauthorized"],
    [{ status: 403, body: { message: "sentinel" } }, "lacks_scope"],
    [{ status: 418, body: "sentinel" }, "unforeseen"],
    [{ status: 200, body: "sentinel" }, "unforeseen"],
    [{ status: 429 }, "no_answer"],
    [{ status: 503 }, "no_answer"],
    [TIMED_OUT, "no_answer"],
    [{ problem: { reason: "connection_failed" } }, "no_answer"],
    [{ problem: { reason: "too_large", maxBytes: 1 } }, "unforeseen"],
  ])("[I7] takes %j for %s, and repeats no word of the vendor", async (answer, result) => {
    const { examined } = await gateway(reads, [answer]);
    const found = await examined();
    expect(found?.result).toBe(result);
    expect(JSON.stringify(found)).not.toContain("sentinel");
  });

  it("[I13] sends nothing that could change something, and nothing to another place", async () => {
    for (const call of [
      () => del(LIST, {}),
      () => postJson(LIST, {}, {}),
      () => get(at`https://elsewhere.example/contacts`, {}),
    ]) {
      const { examined, calls } = await gateway(checkBy(call));
      expect((await examined())?.result).toBe("unforeseen");
      expect(calls).toEqual([]);
    }
    const declared = checkBy(() => postJson(LIST, {}, {}), { posts: "a search changes nothing" });
    expect((await (await gateway(declared, [{ status: 200, body: {} }])).examined())?.result).toBe("fine");
  });

  it("says where there is nothing to check, and why", async () => {
    const without = await gateway(absent("it has no read", SOURCE));
    expect(await without.examined()).toMatchObject({ result: "no_check", what: "it has no read", source: SOURCE });
    expect((await (await gateway(undefined)).examined())?.what).toBe("this integration has no check yet");
    const { ports, context } = await gateway(reads);
    const none = absent("none", SOURCE);
    const deaf = holder({ actions: { erase: none, revoke: none } });
    const silent = await examine({ ...ports, integrations: new Map([[deaf.id, deaf]]) }, context, "acme");
    expect(silent?.what).toContain("nothing is called there");
    expect((await examine({ ...ports, integrations: new Map() }, context, "acme"))?.result).toBe("no_check");
    expect(await examine(ports, context, "another")).toBeUndefined();
  });

  it("shows a mistake of an integration's, and secrets that do not open, as such", async () => {
    const broken = await gateway(
      checkBy(() => {
        throw new TypeError("sentinel");
      }),
    );
    expect((await broken.examined())?.what).toBe("the integration failed: TypeError");
    const { ports, context } = await gateway(reads);
    const locked = { ...context, secrets: () => Promise.reject(new CannotOpen()) };
    expect(await examine(ports, locked, "acme")).toMatchObject({
      result: "unforeseen",
      what: expect.stringContaining("cannot be opened"),
    });
  });
});

describe("POST /v1/subprocessors/{id}/check", () => {
  it("answers operators, also of what is retired, and nobody else", async () => {
    const { ports, context } = await gateway(reads, [{ status: 200, body: {} }]);
    const [operator, reader] = await Promise.all(
      (["operate", "request"] as const).map((role) => newApiKey(context.tenant.n, role, ports.random, "", true)),
    );
    const tenant = {
      ...context.tenant,
      apiKeys: [operator, reader].flatMap((key) => (key === undefined ? [] : [key.entry])),
      subprocessors: { acme: entry("acme", { status: "retired" }) },
    };
    const fresh = { ...context, tenant };
    const all: Ports = { ...ports, tenants: { bySlug: async () => fresh, byNumber: async () => fresh } };
    const app = new Hono<App>();
    app.use(async (c, next) => {
      c.set("ports", all);
      await next();
    });
    app.route("/", subprocessors(true));
    const post = (id: string, key = "") =>
      app.request(`/v1/subprocessors/${id}/check`, { method: "POST", headers: { authorization: `Bearer ${key}` } });
    expect((await post("acme")).status).toBe(401);
    expect((await post("acme", reader?.key)).status).toBe(403);
    expect((await post("other", operator?.key)).status).toBe(404);
    const answer = await post("acme", operator?.key);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.json()).toMatchObject({ subprocessor: "acme", result: "fine" });
  });
});
