import { describe, expect, it } from "vitest";
import { absent, defineIntegration, type Integration } from "../../src/contract/integration.ts";
import type { Settings } from "../../src/contract/settings.ts";
import { unreadable } from "../../src/contract/signal.ts";
import { type Stream, tells } from "../../src/contract/stream.ts";
import { tenantNumber } from "../../src/ids.ts";
import { StoreUnreachable } from "../../src/platform/redis.ts";
import type { NewRequest } from "../../src/platform/store/requests.ts";
import type { Advance, Lookup, Place, Taken } from "../../src/platform/store/streams.ts";
import type { Ended, Heard, Ports } from "../../src/ports.ts";
import type { Context } from "../../src/registry/load.ts";
import { fail, ok } from "../../src/result.ts";
import { listen, READ_MS } from "../../src/streams/listen.ts";
import { bench, NOW } from "../request/samples.ts";

const SOURCE = "https://news.example/docs";
const ONE = "https://one.news.example";
const TWO = "https://two.news.example";
const HOUR = 3_600_000;

/** A message is `<milliseconds since NOW> <id> <who>`. */
const network: Stream = {
  reach: "everybody",
  source: SOURCE,
  origins: [ONE, TWO],
  address: (origin, cursor) => `${origin.replace("https:", "wss:")}/?from=${cursor}`,
  begin: String,
  rewind: (cursor, seconds) => String(Number(cursor) - seconds * 1000),
  rewindSeconds: { same: 5, other: 60 },
  lookbackHours: 36,
  read: (message) => {
    const [, after = "", id = "", who = ""] = /^(-?\d+) (\w+) (\w*)$/.exec(message) ?? [];
    if (after === "") return unreadable("message");
    const at = NOW + Number(after);
    const identity = { type: "news.reader", value: who };
    const signals = [{ type: "account_deleted" as const, identity, at }];
    const knownBy = [identity, { type: "did", value: who }];
    const event =
      who === "" ? { id, name: "weather", signals: [], knownBy: [] } : { id, name: "gone", signals, knownBy };
    return tells({ place: { cursor: String(at), at }, events: [event] });
  },
  events: ["gone"],
  authority: { account_deleted: "everywhere" },
};

const news: Integration = defineIntegration<Settings>({
  id: "news",
  name: "News",
  about: "Tells.",
  origins: [ONE, TWO],
  settings: {},
  identities: { "news.reader": "Reader" },
  hooks: absent("none", SOURCE),
  streams: { network },
  oauth: absent("none", SOURCE),
  actions: { erase: absent("none", SOURCE), revoke: absent("none", SOURCE) },
  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});

type Connection = readonly (readonly string[] | Ended | "quiet")[] | "refused";

/** A reader with the streams' part of a store in memory, and connections that say what they are given. */
async function stand({ known = ["ada"], type = "news.reader" }: { known?: readonly string[]; type?: string } = {}) {
  const base = await bench();
  const { tenant } = base.context;
  const mail = tenant.subprocessors.mail;
  if (mail === undefined) throw new Error("the bench has a mail");
  const subprocessors = { news: { ...mail, id: "news", integration: "news" } };
  const context: Context = { ...base.context, tenant: { ...tenant, subprocessors } };
  const numbers = [tenant.n];
  const indexes = new Set(await Promise.all(known.map((value) => context.keys.pseudonym("index", { type, value }))));
  let now = NOW;
  let place: Place | undefined;
  let refusal: Extract<Taken, { result: "busy" | "resting" }> | undefined;
  const steps: string[] = [];
  const recorded: NewRequest[] = [];
  const advances: Advance[] = [];
  const lookups: Lookup[] = [];
  const logs: string[] = [];
  let script: Connection[] = [];
  const failing = { record: false, advance: false };

  const connect = (messages: Exclude<Connection, "refused">): Heard => {
    const left = [...messages];
    return {
      next: async (ms) => {
        const [first] = left;
        if (first === undefined || first === "quiet") {
          left.shift();
          now += ms;
          return [];
        }
        // How it ended is said again and again.
        if (typeof first !== "string") left.shift();
        return first;
      },
      close: () => steps.push("close"),
    };
  };
  const ports: Ports = {
    ...base.ports,
    now: () => now,
    integrations: new Map([["news", news]]),
    tenants: { bySlug: async () => context, byNumber: async () => context },
    log: (event, facts) => {
      logs.push(`${event} ${String(facts.reason ?? facts.what ?? facts.error ?? "")}`.trim());
    },
    sleep: async (ms) => {
      now += Math.max(ms, 0);
    },
    listen: async (address) => {
      steps.push(address.replace("wss://", "").replace(".news.example/?from=", " "));
      const next = script.shift() ?? "refused";
      return next === "refused" ? fail({ reason: "connection_failed" }) : ok(connect(next));
    },
    store: {
      ...base.ports.store,
      listening: async () => new Map([["news", numbers]]),
      takeStream: async () => refusal ?? { result: "taken", place, failures: 0 },
      advanceStream: async (_, __, advance) => {
        if (failing.advance) return false;
        steps.push(advance.leaseUntil === undefined ? "let go" : "saved");
        advances.push(advance);
        place = advance.place ?? place;
        return true;
      },
      known: async (all) => {
        lookups.push(...all);
        return all.map(({ pseudonym }) => indexes.has(pseudonym));
      },
      record: async (all) => {
        if (failing.record) throw new StoreUnreachable("away");
        if (all.length > 0) steps.push("recorded");
        recorded.push(...all);
        return all.map(() => ({ result: "recorded", wake: false }));
      },
    },
  };
  return {
    ports,
    context,
    numbers,
    steps,
    recorded,
    advances,
    lookups,
    logs,
    failing,
    now: () => now,
    place: () => place,
    begin: (at: number, origin = ONE) => {
      place = { cursor: String(NOW + at), at: NOW + at, origin };
    },
    refuse: (result: "busy" | "resting") => {
      refusal = { result };
    },
    run: async (...connections: readonly Connection[]) => {
      script = [...connections];
      steps.length = 0;
      await listen(ports);
      now += 10_000;
    },
  };
}

describe("reading a public stream", () => {
  it("[I1] saves its place only after what was read before it is recorded", async () => {
    const at = await stand();
    await at.run([["10 first ada", "20 second"], ["30 third ada"], "done"]);
    expect(at.steps).toEqual([`one ${NOW - 5000}`, "recorded", "saved", "close", "let go"]);
    expect(at.recorded).toHaveLength(2);
    expect(at.place()).toEqual({ cursor: String(NOW + 30), at: NOW + 30, origin: ONE });
  });

  it("[I2] reads again what could not be recorded, and knows it by its id", async () => {
    const at = await stand();
    at.begin(0);
    at.failing.record = true;
    await at.run([["10 first ada"], "done"]);
    expect(at.steps).toEqual([`one ${NOW - 5000}`, "close"]);
    expect(at.place()?.cursor).toBe(String(NOW));
    expect(at.logs).toContain("stream_failed away");
    at.failing.record = false;
    for (let run = 0; run < 2; run++) await at.run([["10 first ada"], "done"]);
    expect(at.recorded).toHaveLength(2);
    expect(new Set(at.recorded.map(({ id }) => id)).size).toBe(1);
    expect(at.place()?.cursor).toBe(String(NOW + 10));
  });

  it("begins with what happens from now on, and keeps that moment even if nobody answers", async () => {
    const at = await stand();
    await at.run();
    expect(at.steps[0]).toBe(`one ${NOW - 5000}`);
    expect(at.place()).toEqual({ cursor: String(NOW), at: NOW, origin: ONE });
  });

  it("[I7] records nothing of strangers, and looks them up by pseudonym only", async () => {
    const at = await stand();
    const strangers = Array.from({ length: 2000 }, (_, index) => `${index} id${index} stranger${index}`);
    await at.run([strangers, ["3000 last ada"], "done"]);
    expect(at.recorded).toHaveLength(1);
    expect(at.lookups.length).toBe(2 * 2001);
    expect(JSON.stringify(at.lookups)).not.toContain("stranger");
    expect(at.advances.at(-1)?.counts).toMatchObject({ messages: 2001, gone: 2001, known: 1 });
  });

  it("records one who is known by the shared type with both names", async () => {
    const at = await stand({ type: "did" });
    await at.run([["10 first ada"], "done"]);
    const expected = [
      { type: "news.reader", value: "ada" },
      { type: "did", value: "ada" },
    ];
    expect(at.recorded[0]?.identities).toEqual(await Promise.all(expected.map(at.context.keys.pseudonyms)));
    expect(at.recorded[0]).toMatchObject({ noteOnly: false, here: false, echoOf: "news" });
  });

  it("[I5] passes over what it cannot read, and never follows a clock that runs ahead", async () => {
    const at = await stand();
    await at.run([["rubbish", "", "10 first ada", `${HOUR} future ada`, "null"], "done"]);
    expect(at.recorded).toHaveLength(1);
    expect(at.place()?.cursor).toBe(String(NOW + 10));
    expect(at.advances.at(-1)?.counts).toMatchObject({ unreadable: 4 });
    expect(at.logs.filter((line) => line.startsWith("stream_unreadable"))).toHaveLength(1);
  });

  it("does not put its place back for what it has read before", async () => {
    const at = await stand();
    at.begin(5000);
    await at.run([["10 old ada"], "done"]);
    expect(at.place()?.cursor).toBe(String(NOW + 5000));
  });

  it("goes on at another host from further back, where the first does not answer or breaks off", async () => {
    const at = await stand();
    at.begin(0);
    await at.run("refused", [["10 first ada"], "broken"], [["20 second ada"], "done"]);
    expect(at.steps).toEqual([
      `one ${NOW - 5000}`,
      `two ${NOW - 60_000}`,
      "recorded",
      "saved",
      "close",
      // Back at the first, whose cursor the saved one is not.
      `one ${NOW + 10 - 60_000}`,
      "recorded",
      "saved",
      "close",
      "let go",
    ]);
    expect(at.place()?.origin).toBe(ONE);
  });

  it("leaves a connection on which nothing comes any more", async () => {
    const at = await stand();
    await at.run(["quiet", "quiet", "quiet", "quiet"], [["10 first ada"], "done"]);
    expect(at.steps.filter((step) => /^(one|two)/.test(step))).toHaveLength(2);
    expect(at.recorded).toHaveLength(1);
  });

  it("rests after a run in which nobody answered, and says so", async () => {
    const at = await stand();
    await at.run();
    expect(at.steps.filter((step) => /^(one|two)/.test(step)).length).toBeGreaterThan(3);
    const last = at.advances.at(-1);
    expect(last).toMatchObject({ failures: 1 });
    expect(last?.restUntil).toBeGreaterThan(at.now() - 10_000);
    expect(at.logs).toContain("stream_unreachable connection_failed");
  });

  it("[I10] takes up again, at the same host and from what is durable, what came too fast", async () => {
    const at = await stand();
    await at.run([["10 first ada"], "flooded"], [["20 second ada"], "done"]);
    expect(at.steps.filter((step) => /^(one|two)/.test(step))).toEqual([`one ${NOW - 5000}`, `one ${NOW + 10 - 5000}`]);
  });

  it("[I10] ends when its time is up, with all that it has read made durable", async () => {
    const at = await stand();
    const begun = at.now();
    const lines = Array.from({ length: 40 }, (_, index): readonly string[] | "quiet" =>
      index % 2 === 0 ? [`${index} id${index} ada`] : "quiet",
    );
    await at.run(lines);
    expect(at.now() - 10_000 - begun).toBe(READ_MS);
    expect(at.steps.at(-1)).toBe("let go");
    expect(at.recorded.length).toBeGreaterThan(5);
    expect(at.place()?.cursor).toBe(String(NOW + 2 * (at.recorded.length - 1)));
  });

  it.each(["busy", "resting"] as const)("opens no connection while the stream is %s", async (state) => {
    const at = await stand();
    at.refuse(state);
    await at.run([["10 first ada"], "done"]);
    expect(at.steps).toEqual([]);
  });

  it("opens no connection where no tenant listens", async () => {
    const at = await stand();
    at.numbers.length = 0;
    await at.run([["10 first ada"], "done"]);
    expect(at.steps).toEqual([]);
  });

  it("stops where somebody else has taken the stream meanwhile", async () => {
    const at = await stand();
    at.failing.advance = true;
    await at.run([["10 first ada"], ["20 second ada"], "broken"], [["30 third ada"], "done"]);
    expect(at.steps).toEqual([`one ${NOW - 5000}`, "recorded", "close"]);
  });

  it("says what it can never read any more", async () => {
    const at = await stand();
    at.begin(-40 * HOUR);
    await at.run([["10 first ada"], "done"]);
    expect(at.advances[0]?.gap).toEqual([NOW - 40 * HOUR, NOW - 36 * HOUR]);
    expect(at.logs).toContain("stream_gap");
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
    await at.run([["10 first ada"], "done"]);
    expect(at.recorded).toHaveLength(1);
    expect(at.logs).toContain("stream_tenant_failed TypeError");
  });
});
