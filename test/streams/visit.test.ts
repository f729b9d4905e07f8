import { describe, expect, it } from "vitest";
import { absent, defineIntegration, type Integration } from "../../src/contract/integration.ts";
import { optional, secret } from "../../src/contract/settings.ts";
import { unreadable } from "../../src/contract/signal.ts";
import { type OwnStream, tells } from "../../src/contract/stream.ts";
import { tenantNumber } from "../../src/ids.ts";
import type { NewRequest } from "../../src/platform/store/requests.ts";
import type { Advance, StreamState } from "../../src/platform/store/streams.ts";
import { ALIVE, type Ended, type Heard, type Ports } from "../../src/ports.ts";
import type { Context } from "../../src/registry/load.ts";
import type { Subprocessor } from "../../src/registry/subprocessor.ts";
import { fail, ok } from "../../src/result.ts";
import { health } from "../../src/streams/health.ts";
import { listen, READ_MS } from "../../src/streams/listen.ts";
import { wayFrom } from "../../src/streams/visit.ts";
import { bench, NOW } from "../request/samples.ts";

const SOURCE = "https://news.example/docs";
const ORIGIN = "https://api.news.example";
const SECOND = 1000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A line is `<milliseconds since NOW> <id> <who>`; `fault` says that something is wrong. */
const feed: OwnStream = {
  reach: "tenant",
  source: SOURCE,
  origins: [ORIGIN],
  bearer: "token",
  parts: ["1", "2"],
  lookbackHours: 24,
  overlapSeconds: 45,
  follow: { mostMinutes: 5, address: (origin, part, minutes) => `${origin}/${part}?back=${minutes}` },
  replay: {
    mostMinutes: 10,
    address: (origin, part, from, to) => `${origin}/${part}?from=${from - NOW}&to=${to - NOW}`,
  },
  read: (line) => {
    if (line === "fault")
      return tells({ events: [{ id: "fault", name: "fault", signals: [], knownBy: [], alarm: true }] });
    const [, after = "", id = "", who = ""] = /^(-?\d+) (\w+) (\w*)$/.exec(line) ?? [];
    if (after === "") return unreadable("line");
    const at = NOW + Number(after);
    const identity = { type: "news.reader", value: who };
    const signals = who === "" ? [] : [{ type: "account_deleted" as const, identity, at }];
    return tells({ place: { cursor: String(at), at }, events: [{ id, name: "gone", signals, knownBy: [identity] }] });
  },
  events: ["gone", "fault"],
  authority: { account_deleted: "everywhere" },
};

const news: Integration = defineIntegration({
  id: "news",
  name: "News",
  about: "Tells.",
  origins: [ORIGIN],
  settings: { token: optional(secret("Token")) },
  identities: { "news.reader": "Reader" },
  hooks: absent("none", SOURCE),
  streams: { feed },
  oauth: absent("none", SOURCE),
  actions: { erase: absent("none", SOURCE), revoke: absent("none", SOURCE) },
  residuals: [],
  retainable: [],
  limits: { connections: 1 },
}) as Integration;

type Connection = readonly (readonly string[] | Ended | "quiet")[] | number;

/** The streams' part of a store in memory, and connections that say what they are given, by the part that they are of. */
async function stand(entries: Readonly<Record<string, Partial<Subprocessor>>> = { news: {} }) {
  const base = await bench();
  const { tenant } = base.context;
  const mail = tenant.subprocessors.mail;
  if (mail === undefined) throw new Error("the bench has a mail");
  const subprocessors = Object.fromEntries(
    Object.entries(entries).map(([id, more]) => [
      id,
      { ...mail, id, integration: "news", secrets: { token: ["sealed"] }, ...more },
    ]),
  );
  const context: Context = {
    ...base.context,
    tenant: { ...tenant, subprocessors },
    secrets: async (id, setting) => (subprocessors[id]?.secrets[setting] === undefined ? [] : [`token-of-${id}`]),
  };
  const numbers = [tenant.n];
  const ada = await context.keys.pseudonym("index", { type: "news.reader", value: "ada" });
  let now = NOW;
  const states = new Map<string, StreamState & { readonly restUntil?: number; readonly cursor?: string }>();
  const asked: { readonly part: string; readonly query: string; readonly bearer: string }[] = [];
  const recorded: NewRequest[] = [];
  const advances: (Advance & { readonly name: string })[] = [];
  const logs: string[] = [];
  let script: Record<string, Connection[]> = {};
  let open = 0;
  let mostOpen = 0;

  const connect = (messages: Exclude<Connection, number>): Heard => {
    const left = [...messages];
    open++;
    mostOpen = Math.max(mostOpen, open);
    return {
      next: async (ms) => {
        await Promise.resolve();
        const [first] = left;
        if (first === undefined || first === "quiet") {
          left.shift();
          now += ms;
          return [];
        }
        if (typeof first !== "string") left.shift();
        return first;
      },
      close: () => {
        open--;
      },
    };
  };
  const ports: Ports = {
    ...base.ports,
    now: () => now,
    integrations: new Map([["news", news]]),
    tenants: { bySlug: async () => context, byNumber: async () => context },
    log: (event, facts) => {
      logs.push(`${event} ${String(facts.reason ?? facts.what ?? facts.name ?? facts.error ?? "")}`.trim());
    },
    lines: async (address, bearer) => {
      const { pathname, search } = new URL(address);
      const part = pathname.slice(1);
      asked.push({ part, query: search.slice(1), bearer });
      const next = script[part]?.shift() ?? [[ALIVE, ALIVE]];
      return typeof next === "number" ? fail({ reason: "refused" as const, status: next }) : ok(connect(next));
    },
    store: {
      ...base.ports.store,
      listening: async () => new Map([["news", numbers]]),
      streams: async (names) => names.map((name) => states.get(name) ?? { failures: 0, counts: {} }),
      takeStream: async (name) => {
        const { at, failures = 0, restUntil = 0, cursor } = states.get(name) ?? {};
        if (restUntil > now) return { result: "resting" };
        const place = at === undefined ? undefined : { cursor: cursor ?? "", at, origin: ORIGIN };
        return { result: "taken", place, failures };
      },
      advanceStream: async (name, _, advance) => {
        advances.push({ ...advance, name });
        const { place, failures, restUntil, reason, counts, gap } = advance;
        const before = states.get(name) ?? { failures: 0, counts: {} };
        const { reason: _old, ...rest } = before;
        states.set(name, {
          ...(reason === undefined ? before : rest),
          readAt: advance.now,
          ...(place !== undefined && { at: place.at, cursor: place.cursor }),
          ...(failures !== undefined && { failures }),
          ...(restUntil !== undefined && { restUntil }),
          ...(reason !== undefined && reason !== "" && { reason }),
          ...(counts !== undefined && { counts: { ...counts } }),
          ...(gap !== undefined && { gap }),
        });
        return true;
      },
      known: async (all) => all.map(({ pseudonym }) => pseudonym === ada),
      record: async (all) => {
        recorded.push(...all);
        return all.map(() => ({ result: "recorded", wake: false }));
      },
    },
  };
  return {
    ports,
    numbers,
    asked,
    recorded,
    advances,
    logs,
    mostOpen: () => mostOpen,
    now: () => now,
    state: (part: string, id = "news") => states.get(`${tenant.n}:${id}/feed/${part}`),
    left: (part: string, at: number, id = "news") =>
      states.set(`${tenant.n}:${id}/feed/${part}`, {
        at: NOW + at,
        readAt: NOW + at,
        cursor: String(NOW + at),
        failures: 0,
        counts: {},
      }),
    advance: (ms: number) => {
      now += ms;
    },
    run: async (connections: Readonly<Record<string, readonly Connection[]>> = {}) => {
      script = Object.fromEntries(Object.entries(connections).map(([part, each]) => [part, [...each]]));
      asked.length = 0;
      await listen(ports);
    },
  };
}

/** What shows that nothing older comes. */
const LATER = Array.from({ length: 50 }, (_, at) => `${at} later${at} `);

describe("visiting a tenant's own stream", () => {
  it("[I1] hears all that there was when the visit began, and saves that moment once it is recorded", async () => {
    const at = await stand();
    at.left("1", -MINUTE);
    await at.run({ "1": [[["-5000 first ada", "-4000 second bob"], LATER]] });
    expect(at.asked.find(({ part }) => part === "1")).toEqual({ part: "1", query: "back=2", bearer: "token-of-news" });
    expect(at.recorded).toHaveLength(1);
    expect(at.recorded[0]).toMatchObject({ noteOnly: false, echoOf: "news" });
    expect(at.state("1")).toMatchObject({ at: NOW, failures: 0, counts: { messages: 52, known: 1 } });
  });

  it("begins with what happens from now on", async () => {
    const at = await stand();
    await at.run();
    expect(at.asked.map(({ query }) => query)).toEqual(["back=1", "back=1"]);
    expect(at.state("2")?.at).toBe(NOW);
  });

  it("takes two signs of life with nothing between them for all, and one, or two apart, for none", async () => {
    const at = await stand();
    at.left("1", -MINUTE);
    at.left("2", -MINUTE);
    await at.run({
      "1": [[[ALIVE, "-5000 first ada", ALIVE, "-4000 second ada"], [ALIVE], [ALIVE]]],
      "2": [[[ALIVE, "-5000 first ada", ALIVE, "-4000 second ada"], "broken"]],
    });
    expect(at.state("1")?.at).toBe(NOW);
    // Only so far as the earliest of what came last.
    expect(at.state("2")?.at).toBe(NOW - 5000);
  });

  it("is not misled by what is new among what is told again", async () => {
    const at = await stand();
    at.left("1", -3 * MINUTE);
    const mixed = Array.from({ length: 200 }, (_, id) => (id % 40 === 39 ? `-150000 old${id} ` : `${id} new${id} `));
    await at.run({ "1": [[mixed, ["-140000 first ada"], "broken"]] });
    expect(at.recorded).toHaveLength(1);
    expect(at.state("1")?.at).toBe(NOW - 150 * SECOND);
  });

  it("[I2] goes on from the earliest of what came last where it breaks off, and what comes twice is known by its id", async () => {
    const at = await stand();
    at.left("1", -4 * MINUTE);
    await at.run({ "1": [[["-180000 first ada", "-200000 second ada"], "broken"]] });
    expect(at.state("1")?.at).toBe(NOW - 200 * SECOND);
    at.advance(10 * SECOND);
    await at.run({
      "1": [
        [
          ["-180000 first ada", "-200000 second ada", "-1000 third ada"],
          [ALIVE, ALIVE],
        ],
      ],
    });
    expect(at.asked.find(({ part }) => part === "1")?.query).toBe("back=5");
    expect(new Set(at.recorded.map(({ id }) => id)).size).toBe(3);
    expect(at.recorded).toHaveLength(5);
  });

  it("does not take a proper end for all while it follows", async () => {
    const at = await stand();
    at.left("1", -2 * MINUTE);
    await at.run({ "1": [[["-100000 first ada"], "done"]] });
    expect(at.state("1")?.at).toBe(NOW - 100 * SECOND);
  });

  it("asks again for what lies further back than is told again, a piece a visit, and takes its end for all", async () => {
    const at = await stand();
    at.left("1", -20 * MINUTE);
    const [from, to] = [-20 * MINUTE - 45 * SECOND, -10 * MINUTE - 45 * SECOND];
    await at.run({ "1": [[[`${from + 1000} first ada`, ALIVE, ALIVE], LATER, "done"]] });
    expect(at.asked.find(({ part }) => part === "1")?.query).toBe(`from=${from}&to=${to}`);
    expect(at.state("1")?.at).toBe(NOW + to);
    expect(at.recorded).toHaveLength(1);
    at.advance(MINUTE);
    await at.run({ "1": [["done"]] });
    expect(at.asked.find(({ part }) => part === "1")?.query).toBe(
      `from=${to - 45 * SECOND}&to=${to - 45 * SECOND + 10 * MINUTE}`,
    );
  });

  it("believes no end that follows a fault, and says that there was one", async () => {
    const at = await stand();
    at.left("1", -20 * MINUTE);
    await at.run({ "1": [[["-1200000 first ada", "fault"], "done"]] });
    expect(at.state("1")?.at).toBe(NOW - 20 * MINUTE);
    expect(at.logs).toContain("stream_alarm fault");
  });

  it("says what it can never read any more, and goes on with what is left", async () => {
    const at = await stand();
    at.left("1", -30 * HOUR);
    await at.run({ "1": [["done"]] });
    expect(at.logs).toContain("stream_gap");
    expect(at.state("1")?.gap).toEqual([NOW - 30 * HOUR, NOW - 24 * HOUR]);
    expect(at.asked.find(({ part }) => part === "1")?.query).toBe(
      `from=${-24 * HOUR + MINUTE}&to=${-24 * HOUR + 11 * MINUTE}`,
    );
    expect(at.logs).toContain("stream_behind");
  });

  it.each([
    [401, "credential_refused"],
    [403, "credential_refused"],
    [429, "rate_limited"],
    [503, "refused"],
  ])("rests after %i, ever longer, and says %s", async (status, reason) => {
    const at = await stand();
    at.left("1", -MINUTE);
    await at.run({ "1": [status] });
    expect(at.logs).toContain(`stream_unreachable ${reason}`);
    expect(at.state("1")).toMatchObject({ failures: 1, reason, restUntil: NOW + MINUTE, at: NOW - MINUTE });
    expect(at.state("2")).toMatchObject({ failures: 0 });
    expect(await health(at.ports)).toMatchObject({ "news/feed": { failures: 1, reasons: [reason] } });
    expect(JSON.stringify([at.logs, at.advances])).not.toContain("token-of");
    await at.run({ "1": [status] });
    expect(at.asked.map(({ part }) => part)).not.toContain("1");
    at.advance(MINUTE);
    await at.run({ "1": [status] });
    expect(at.state("1")).toMatchObject({ failures: 2, restUntil: at.now() + 2 * MINUTE });
    at.advance(2 * MINUTE);
    await at.run();
    expect(at.state("1")).toMatchObject({ failures: 0 });
    expect((await health(at.ports))["news/feed"]?.reasons).toBeUndefined();
  });

  it("rests after a connection on which nothing came at all", async () => {
    const at = await stand();
    await at.run({ "1": [["broken"]] });
    expect(at.state("1")).toMatchObject({ failures: 1, reason: "nothing_came" });
  });

  it("[I5] takes what nobody can read for no stream when it ends", async () => {
    const at = await stand();
    at.left("1", -MINUTE);
    at.left("2", -20 * MINUTE);
    await at.run({ "1": [[["<html>", "</html>"], "done"]], "2": [[["<html>", "</html>"], "done"]] });
    expect(at.state("1")).toMatchObject({ failures: 1, reason: "unreadable", at: NOW - MINUTE });
    expect(at.state("2")).toMatchObject({ failures: 1, reason: "unreadable", at: NOW - 20 * MINUTE });
  });

  it("[I5] is moved by no line that nobody can read, and by no clock that runs ahead", async () => {
    const at = await stand();
    at.left("1", -MINUTE);
    const ahead = Array.from({ length: 20 }, (_, id) => `${HOUR} ahead${id} ada`);
    await at.run({ "1": [[["rubbish", "", ...ahead, "-50000 first ada"], "broken"]] });
    expect(at.recorded).toHaveLength(1);
    expect(at.state("1")).toMatchObject({ at: NOW - 50 * SECOND, counts: { unreadable: 22 } });
    // Within what clocks may differ by, it is heard, and still is no place that has not been.
    at.left("2", -MINUTE);
    await at.run({ "2": [[["60000 early ada"], "broken"]] });
    expect(at.recorded).toHaveLength(2);
    expect(at.state("2")?.at).toBe(NOW);
  });

  it("[I10] has four connections open at once, and begins with whatever was left longest ago", async () => {
    const ids = Object.fromEntries(["a", "b", "c", "d", "e"].map((id) => [id, {}]));
    const at = await stand(ids);
    for (const [nth, id] of Object.keys(ids).entries())
      for (const part of ["1", "2"]) at.left(part, -(nth + 1) * 10 * SECOND, id);
    await at.run();
    expect(at.mostOpen()).toBe(4);
    expect(at.asked.map(({ bearer }) => bearer.at(-1)).join("")).toBe("eeddccbbaa");
  });

  it("[I10] leaves what it has no time for, and begins with that the next time", async () => {
    const at = await stand(Object.fromEntries(["a", "b", "c"].map((id) => [id, {}])));
    const hangs: Connection = Array.from({ length: 40 }, () => ["-1000 some "]).flatMap((each) => [
      each,
      "quiet" as const,
    ]);
    const begun = at.now();
    await at.run({ "1": [hangs, hangs, hangs], "2": [hangs, hangs, hangs] });
    // Each waits for itself, and all by the one clock.
    expect(at.now() - begun).toBeGreaterThanOrEqual(READ_MS);
    expect(at.now() - begun).toBeLessThan(READ_MS + 20 * SECOND);
    expect(at.asked).toHaveLength(4);
    const before = at.asked.map(({ bearer, part }) => `${bearer}${part}`);
    at.advance(10 * SECOND);
    await at.run();
    expect(before).not.toContain(`${at.asked[0]?.bearer}${at.asked[0]?.part}`);
    expect(at.asked).toHaveLength(6);
  });

  it("[I10] reads no more than an invocation can, over all visits, and keeps how far it came", async () => {
    const at = await stand();
    at.left("1", -3 * MINUTE);
    const many = Array.from({ length: 150_000 }, (_, id) => `${-170_000 + id} id${id} `);
    await at.run({ "1": [[many, many, many, "quiet"]], "2": [[[ALIVE, ALIVE]]] });
    expect(at.state("1")).toMatchObject({ counts: { messages: 300_000 }, failures: 0 });
    expect(at.state("1")?.at).toBe(NOW - 170 * SECOND);
  });

  it("[I6] is heard by nobody but the subprocessor whose credential it is", async () => {
    const at = await stand({ one: {}, two: {}, bare: { secrets: {} }, gone: { status: "retired" } });
    await at.run({ "1": [[[ALIVE, ALIVE]], [["-5000 first ada"], [ALIVE, ALIVE]]] });
    expect(at.asked.map(({ bearer }) => bearer)).toEqual([
      "token-of-one",
      "token-of-one",
      "token-of-two",
      "token-of-two",
    ]);
    expect(at.recorded).toHaveLength(1);
    expect(at.recorded[0]).toMatchObject({ echoOf: "two" });
  });

  it("[I2] keeps its place where what it heard cannot be recorded, whatever the reason", async () => {
    const at = await stand();
    at.left("1", -MINUTE);
    const { record } = at.ports.store;
    Object.assign(at.ports.store, { record: () => Promise.reject(new TypeError("damaged")) });
    await at.run({ "1": [[["-5000 first ada"], [ALIVE, ALIVE]]] });
    expect(at.logs).toContain("stream_failed TypeError");
    expect(at.state("1")?.at).toBe(NOW - MINUTE);
    Object.assign(at.ports.store, { record });
    await at.run({ "1": [[["-5000 first ada"], [ALIVE, ALIVE]]] });
    expect(at.recorded).toHaveLength(1);
  });

  it("[I6] tells the others where one tenant's registry cannot be read", async () => {
    const at = await stand();
    at.numbers.unshift(tenantNumber(7));
    const { byNumber } = at.ports.tenants;
    const tenants: Ports["tenants"] = {
      ...at.ports.tenants,
      byNumber: (n, maxAgeMs) => {
        if (n === "7") throw new TypeError("damaged");
        return byNumber(n, maxAgeMs);
      },
    };
    Object.assign(at.ports, { tenants });
    await at.run({ "1": [[["-5000 first ada"], [ALIVE, ALIVE]]] });
    expect(at.recorded).toHaveLength(1);
    expect(at.logs).toContain("stream_tenant_failed TypeError");
    expect(await health(at.ports)).toMatchObject({ "news/feed": { failures: 0 } });
  });

  it("opens no connection where nobody listens", async () => {
    const at = await stand();
    at.numbers.length = 0;
    await at.run();
    expect(at.asked).toEqual([]);
    expect(await health(at.ports)).toEqual({});
  });
});

describe("the way from where a part was left", () => {
  it.each([
    [0, "back=1"],
    [15, "back=1"],
    [16, "back=2"],
    [60, "back=2"],
    [255, "back=5"],
    [256, "from=-301000&to=0"],
    [-3600, "back=1"],
  ])("%i seconds ago is %s", (secondsAgo, query) => {
    const { address, to } = wayFrom(feed, "1", NOW - secondsAgo * SECOND, NOW);
    expect(new URL(address).search.slice(1)).toBe(query);
    expect(to).toBe(NOW);
  });
});
