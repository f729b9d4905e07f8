import type { Instant, TenantNumber } from "../../ids.ts";
import { keys, laneName } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import { NEXT_CONTENT, WAITING_CONTENT } from "../scripts/content.ts";
import { laneKeys, texts } from "./lanes.ts";
import { type Chunk, COUNTED_MS, dayOf, TOLD_WITHIN_MS } from "./new-content.ts";
import { type Hash, hash } from "./requests.ts";

/** Who holds the order, what it has sent, and how much it would send next (0: nothing more). */
export type Asking = {
  readonly token: string;
  readonly attempt: number;
  readonly sent?: { readonly batch: string; readonly unread: number };
  /** The id of the next batch, where none is fixed. */
  readonly batch: string;
  readonly most: number;
};

export type NextContent = { readonly givenUp: number } & (
  | { readonly state: "none" }
  | { readonly state: "late" }
  | { readonly state: "left"; readonly waiting: number; readonly since: Instant }
  | {
      readonly state: "batch";
      readonly waiting: number;
      readonly since: Instant;
      readonly batch: string;
      readonly madeAt: Instant;
      readonly chunks: readonly Chunk[];
    }
);

export type ContentStore = {
  /** Settles what was sent, and gives the next batch, the same until it is settled; ends the order when nothing is left. */
  readonly nextContent: (n: TenantNumber, subprocessor: string, asking: Asking, now: Instant) => Promise<NextContent>;
  /** By day, today first: `in <source>`, `told <subprocessor>` and `up <subprocessor>` (given up), in items. */
  readonly contentCounts: (
    n: TenantNumber,
    subprocessors: readonly string[],
    days: number,
    now: Instant,
  ) => Promise<{
    readonly days: readonly Hash[];
    readonly waiting: readonly { readonly items: number; readonly since: Instant }[];
  }>;
};

export const contentStore = (redis: RedisClient): ContentStore => ({
  nextContent: async (n, subprocessor, { token, attempt, sent, batch, most }, now) => {
    const [due, orders] = laneKeys(laneName(n, subprocessor));
    const [answer] = await redis.run([
      {
        script: NEXT_CONTENT,
        keys: [keys.content(n, subprocessor), due, orders, keys.contentCounts(n, dayOf(now))],
        args: [
          now,
          token,
          attempt,
          sent?.batch ?? "",
          sent?.unread ?? 0,
          batch,
          most,
          now - TOLD_WITHIN_MS,
          COUNTED_MS,
          subprocessor,
        ],
      },
    ]);
    return readNext(texts(answer));
  },

  contentCounts: async (n, subprocessors, days, now) => {
    const answers = await redis.run([
      ...Array.from({ length: days }, (_, back) => ["hgetall", keys.contentCounts(n, dayOf(now) - back)]),
      ...subprocessors.map((each) => ({ script: WAITING_CONTENT, keys: [keys.content(n, each)], args: [] })),
    ]);
    return {
      days: answers.slice(0, days).map(hash),
      waiting: answers.slice(days).map((answer) => {
        const [items, since] = texts(answer);
        return { items: Number(items), since: Number(since) };
      }),
    };
  },
});

function readNext([state, givenUp, waiting, since, batch = "", madeAt, ...chunks]: readonly string[]): NextContent {
  const left = { givenUp: Number(givenUp), waiting: Number(waiting), since: Number(since) };
  if (state === "left") return { state, ...left };
  if (state === "batch") return { state, ...left, batch, madeAt: Number(madeAt), chunks: chunks.map(readChunk) };
  if (state === "none") return { state, givenUp: left.givenUp };
  return { state: "late", givenUp: left.givenUp };
}

function readChunk(text: string): Chunk {
  const [items, , id = "", wrapped = "", sealed = ""] = text.split(" ");
  return { id, items: Number(items), wrapped, sealed };
}
