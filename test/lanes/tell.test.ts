import { describe, expect, it } from "vitest";
import { at, postJson } from "../../src/contract/call.ts";
import type { Integration } from "../../src/contract/integration.ts";
import { informed } from "../../src/contract/outcome.ts";
import { chunkText, contentDeadline, contentPlace, MOST_ITEMS } from "../../src/lanes/content.ts";
import { CONTENT_ORDER } from "../../src/platform/scripts/content.ts";
import type { Asking, NextContent } from "../../src/platform/store/content.ts";
import type { Claimed } from "../../src/platform/store/lanes.ts";
import type { Chunk } from "../../src/platform/store/new-content.ts";
import { type Answered, bench, DAY, NOW, TIMED_OUT } from "./samples.ts";

const content: NonNullable<Integration["content"]> = function* (_, batch) {
  const reply = yield postJson(at`https://api.acme.example/deleted`, {}, batch);
  if (reply.status === 200) return informed;
  return reply.status === 420
    ? { outcome: "slow_down", seconds: 90 }
    : { outcome: "unforeseen", status: reply.status, what: "an undocumented answer" };
};

const SINCE = NOW - 60_000;
const order = (more: Partial<Claimed> = {}): Claimed => ({
  id: CONTENT_ORDER,
  attempt: 1,
  payload: "",
  cursor: "",
  learned: [],
  joint: [],
  ...more,
});

type Batch = Extract<NextContent, { state: "batch" }>;

/** A lane whose store hands out what the test says, and remembers what it was asked. */
async function lane(setup: Parameters<typeof bench>[0] = {}) {
  const asked: Asking[] = [];
  let given: readonly (NextContent | Partial<Batch>)[] = [];
  const nextContent = async (_: unknown, __: string, asking: Asking): Promise<NextContent> => {
    asked.push(asking);
    const [first = { state: "none" as const, givenUp: 0 }, ...rest] = given;
    if (asking.most === 0 && !("state" in first && first.state !== "batch"))
      return { state: "left", givenUp: 0, waiting: 1, since: SINCE };
    given = rest;
    if ("state" in first && first.state !== "batch") return first as NextContent;
    const made = { batch: asking.batch, madeAt: NOW, waiting: 9, since: SINCE, givenUp: 0, chunks: [] };
    return { ...made, ...first, state: "batch" } as Batch;
  };
  const facts: Record<string, unknown>[] = [];
  const made = await bench({ content, lanes: { nextContent }, ...setup });
  const { log } = made.ports;
  Object.assign(made.ports, {
    log: (event: string, said: Record<string, string | number | boolean>) => {
      log(event, said);
      facts.push({ event, ...said });
    },
  });
  const chunk = async (id: string, ...ids: readonly string[]): Promise<Chunk> => {
    const place = contentPlace("acme", id);
    const { key, wrapped } = await made.context.keys.newKey(place);
    const text = chunkText(
      "posts/events",
      ids.map((each) => ({ type: "posts.post", id: each, at: NOW - 1000 })),
    );
    return { id, items: ids.length, wrapped, sealed: await key.seal(place, text) };
  };
  return {
    ...made,
    asked,
    facts,
    chunk,
    work: (next: readonly (NextContent | Partial<Batch>)[], answers: readonly Answered[], claimed = order()) => {
      given = next;
      return made.work([claimed], answers);
    },
  };
}

describe("telling a subprocessor of deleted content", () => {
  it("says in one call what several deliveries told, and fetches the next batch as it settles this one", async () => {
    const { work, chunk, bodies, asked, facts } = await lane();
    const worked = await work(
      [{ chunks: [await chunk("c1", "1", "2"), await chunk("c2", "3")] }, { chunks: [await chunk("c3", "4")] }],
      [{ status: 200 }, { status: 200 }],
    );
    expect(worked).toMatchObject({ settlements: [], rest: 0, timeouts: 0 });
    const item = (id: string) => ({
      type: "posts.post",
      id,
      source: "posts/events",
      deletedAt: "2026-11-21T08:59:59.000Z",
    });
    expect(bodies()).toEqual([
      { id: asked[0]?.batch, at: "2026-11-21T09:00:00.000Z", items: [item("1"), item("2"), item("3")] },
      { id: asked[1]?.batch, at: "2026-11-21T09:00:00.000Z", items: [item("4")] },
    ]);
    expect(asked.map(({ sent }) => sent?.batch)).toEqual([undefined, asked[0]?.batch, asked[1]?.batch]);
    expect(asked[0]).toMatchObject({ token: "token", attempt: 1, most: MOST_ITEMS });
    expect(new Set(asked.map(({ batch }) => batch)).size).toBe(3);
    expect(facts[0]).toEqual({
      event: "content_told",
      tenant: "acme",
      subprocessor: "acme",
      batch: asked[0]?.batch,
      items: 3,
      waiting: 6,
    });
  });

  it("[I3] says a batch that was fixed before again, to the letter", async () => {
    const { work, chunk, bodies, asked } = await lane();
    const fixed = { batch: "ctb_before", madeAt: NOW - DAY, chunks: [await chunk("c1", "1")] };
    await work([fixed], [{ status: 200 }]);
    expect(bodies()).toMatchObject([{ id: "ctb_before", at: "2026-11-20T09:00:00.000Z" }]);
    expect(asked[1]?.sent).toEqual({ batch: "ctb_before", unread: 0 });
  });

  it.each([
    ["a time-out", TIMED_OUT, "timed_out", 1],
    ["a dropped connection", { problem: { reason: "connection_failed" } } as Answered, "connection_failed", 0],
    ["trouble of its own", { status: 503 }, "vendor_down 503", 0],
    ["a refusal", { status: 422 }, "unforeseen 422", 0],
  ])(
    "[I2] comes back with ever more time between after %s, and keeps the batch",
    async (_, answer, reason, timeouts) => {
      const { work, chunk, asked, facts } = await lane();
      const chunks = [await chunk("c1", "1")];
      const first = await work([{ chunks }], [answer]);
      const later = await work([{ chunks }], [answer], order({ attempt: 7, cursor: "6" }));
      expect(asked.every(({ sent }) => sent === undefined)).toBe(true);
      expect([first.rest, first.timeouts]).toEqual([0, timeouts]);
      const [one, seventh] = [first.settlements[0], later.settlements[0]];
      expect(one).toMatchObject({ id: CONTENT_ORDER, what: "back", cursor: "1", deadline: contentDeadline(SINCE) });
      expect(seventh).toMatchObject({ attempt: 7, what: "back", cursor: "7" });
      const waits = [one, seventh].map((each) => (each?.what === "back" ? each.due - NOW : 0));
      expect(waits[0]).toBeGreaterThanOrEqual(2500);
      expect(waits[0]).toBeLessThanOrEqual(5000);
      expect(waits[1]).toBeGreaterThanOrEqual(160_000);
      expect(facts[0]).toMatchObject({ event: "content_not_told", reason, fails: 1, waiting: 9, items: 1 });
    },
  );

  it("rests the lane where the holder asks for it, which is no failure", async () => {
    const { work, chunk } = await lane();
    const chunks = [await chunk("c1", "1")];
    const asks = { status: 429, headers: { "retry-after": "120" } };
    const rested = await work([{ chunks }], [asks], order({ cursor: "3" }));
    expect(rested).toMatchObject({ rest: NOW + 120_000, settlements: [{ what: "back", due: NOW, cursor: "3" }] });
    expect((await work([{ chunks }], [{ status: 420 }])).rest).toBe(NOW + 90_000);
    expect((await work([{ chunks }], [{ status: 401 }])).rest).toBe(NOW + 15 * 60_000);
  });

  it("counts from the first failure again once something was told", async () => {
    const { work, chunk } = await lane();
    const chunks = [await chunk("c1", "1")];
    const worked = await work([{ chunks }, { chunks }], [{ status: 200 }, { status: 500 }], order({ cursor: "5" }));
    expect(worked.settlements).toMatchObject([{ what: "back", cursor: "1" }]);
  });

  it("lets what is more urgent go before, after ten batches in a row", async () => {
    const { work, chunk, asked } = await lane();
    const chunks = [await chunk("c1", "1")];
    const many = Array.from({ length: 20 }, () => ({ chunks }));
    const worked = await work(
      many,
      many.map(() => ({ status: 200 })),
    );
    expect(asked.map(({ most }) => most)).toEqual([...Array.from({ length: 10 }, () => MOST_ITEMS), 0]);
    expect(worked.settlements).toMatchObject([{ what: "back", due: NOW, cursor: "0" }]);
  });

  it("goes on with the others where a chunk does not open, and says so", async () => {
    const { work, chunk, bodies, asked, facts } = await lane();
    const moved = { ...(await chunk("c1", "1", "2")), id: "c9" };
    await work([{ chunks: [moved, await chunk("c2", "3")] }, { chunks: [moved] }], [{ status: 200 }]);
    expect(bodies()).toMatchObject([{ items: [{ id: "3" }] }]);
    expect(asked.map(({ sent }) => sent?.unread)).toEqual([undefined, 2, 2]);
    expect(facts[0]).toMatchObject({ event: "content_unreadable", chunk: "c9", items: 2 });
  });

  it("is stopped by a hold on everybody's data there, and not by one on a person's", async () => {
    const hold = { id: "h", reason: "court", reviewAt: "", placedAt: "", placedBy: "" };
    const held = await lane({ holds: [{ ...hold, subprocessors: ["acme"] }] });
    const waiting = [{ chunks: [await held.chunk("c1", "1")] }];
    expect((await held.work(waiting, [])).settlements).toMatchObject([{ what: "back", due: NOW + DAY }]);
    expect(held.asked).toMatchObject([{ most: 0 }]);
    const other = await lane({ holds: [{ ...hold, subject: "ada" }] });
    await other.work([{ chunks: [await other.chunk("c1", "1")] }], [{ status: 200 }]);
    expect(other.calls).toHaveLength(1);
  });

  it("says how much was given up, and leaves alone what another run has now", async () => {
    const { work, events } = await lane();
    expect((await work([{ state: "late", givenUp: 12 }], [])).settlements).toEqual([]);
    expect(events).toEqual(["content_given_up acme"]);
  });

  it("tells nobody of what is too old, however much of it there is", async () => {
    const { work, chunk, facts, asked } = await lane();
    const old = { since: NOW - 31 * DAY, givenUp: 1000, chunks: [await chunk("c1", "1")] };
    await work([old, old, { chunks: [await chunk("c2", "2")] }], [{ status: 200 }]);
    expect(asked).toHaveLength(4);
    expect(facts.map(({ event, items }) => [event, items])).toEqual([
      ["content_given_up", 1000],
      ["content_given_up", 1000],
      ["content_told", 1],
    ]);
  });

  it("goes back untouched, in its own place, when the lane rests already", async () => {
    const made = await bench({ content });
    const { settlements } = await made.work(
      [await made.order("aa"), order()],
      [{ status: 429, headers: { "retry-after": "60" } }],
    );
    expect(settlements.find(({ id }) => id === CONTENT_ORDER)).toMatchObject({
      what: "back",
      deadline: contentDeadline(NOW),
      cursor: "",
    });
  });
});
