import { type Instant, type TenantNumber, tenantNumber } from "../../ids.ts";
import { keys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import { ADVANCE, TAKE } from "../scripts/stream.ts";
import { texts } from "./lanes.ts";
import { type Hash, hash } from "./requests.ts";

/** How far a stream has been read. */
export type Place = {
  readonly cursor: string;
  /** When the stream said that it was, there. */
  readonly at: Instant;
  /** Cursors are an origin's own. */
  readonly origin: string;
};

export type Taken =
  | { readonly result: "busy" | "resting" }
  | { readonly result: "taken"; readonly place: Place | undefined; readonly failures: number };

export type Advance = {
  readonly place?: Place | undefined;
  readonly now: Instant;
  /** Undefined: the reader lets go. */
  readonly leaseUntil?: Instant;
  /** Runs that failed one after the other, and until when the stream rests for that. */
  readonly failures?: number;
  readonly restUntil?: Instant;
  /** Why the last run failed, as a code; "" where it did not. */
  readonly reason?: string;
  /** Counts of this run so far. */
  readonly counts?: Readonly<Record<string, number>>;
  /** What can never be read any more, from and to. */
  readonly gap?: readonly [Instant, Instant];
};

export type StreamState = {
  readonly at?: Instant;
  readonly readAt?: Instant;
  readonly origin?: string;
  readonly failures: number;
  readonly reason?: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly gap?: readonly [Instant, Instant];
};

export type Lookup = { readonly n: TenantNumber; readonly pseudonym: string };

export type StreamStore = {
  /** By integration, in one round trip; in none where none is asked about. */
  readonly listening: (integrations: readonly string[]) => Promise<ReadonlyMap<string, readonly TenantNumber[]>>;
  readonly takeStream: (stream: string, reader: string, now: Instant, leaseUntil: Instant) => Promise<Taken>;
  /** False when somebody else has taken the stream. */
  readonly advanceStream: (stream: string, reader: string, advance: Advance) => Promise<boolean>;
  readonly streams: (streams: readonly string[]) => Promise<readonly StreamState[]>;
  /**
   * Of each pseudonym, whether it belongs to somebody. Nearly none does: many are asked about with one command, and one
   * by one only where there is a hit, in a second round trip.
   */
  readonly known: (lookups: readonly Lookup[]) => Promise<readonly boolean[]>;
};

/** Pseudonyms that one command asks about. */
const TOGETHER = 200;

export const streamStore = (redis: RedisClient): StreamStore => ({
  listening: async (integrations) => {
    const answers = await redis.run(integrations.map((integration) => ["smembers", keys.listening(integration)]));
    return new Map(
      integrations.map((integration, at) => [integration, texts(answers[at]).toSorted().map(tenantNumber)]),
    );
  },

  takeStream: async (stream, reader, now, leaseUntil) => {
    const [answer] = await redis.run([{ script: TAKE, keys: [keys.stream(stream)], args: [now, reader, leaseUntil] }]);
    const [result, cursor = "", at = "", origin = "", failures = ""] = texts(answer);
    if (result === "busy" || result === "resting") return { result };
    const place = cursor === "" ? undefined : { cursor, at: Number(at), origin };
    return { result: "taken", place, failures: Number(failures) };
  },

  advanceStream: async (stream, reader, { place, now, leaseUntil = 0, failures, restUntil, reason, counts, gap }) => {
    const fields: readonly (readonly [string, string | number])[] = [
      ["seen", now],
      ...(place === undefined ? [] : ([["c", place.cursor] as const, ["at", place.at], ["o", place.origin]] as const)),
      ...(failures === undefined ? [] : ([["f", failures]] as const)),
      ...(restUntil === undefined ? [] : ([["r", restUntil]] as const)),
      ...(reason === undefined ? [] : ([["w", reason]] as const)),
      ...(counts === undefined ? [] : ([["n", JSON.stringify(counts)]] as const)),
      ...(gap === undefined ? [] : ([["gap", gap.join(" ")]] as const)),
    ];
    const args = [reader, leaseUntil, ...fields.flat()];
    const [answer] = await redis.run([{ script: ADVANCE, keys: [keys.stream(stream)], args }]);
    return Number(answer) === 1;
  },

  streams: async (streams) =>
    (await redis.run(streams.map((stream) => ["hgetall", keys.stream(stream)]))).map((answer) => stateOf(hash(answer))),

  known: async (lookups) => {
    const groups = Array.from({ length: Math.ceil(lookups.length / TOGETHER) }, (_, at) =>
      lookups.slice(at * TOGETHER, (at + 1) * TOGETHER),
    );
    const key = ({ n, pseudonym }: Lookup) => keys.identity(n, pseudonym);
    const hits = await redis.run(groups.map((group) => ["exists", ...group.map(key)]));
    const near = groups.filter((_, at) => Number(hits[at]) > 0).flat();
    const answers = await redis.run(near.map((lookup) => ["exists", key(lookup)]));
    const known = new Set(near.filter((_, at) => Number(answers[at]) > 0));
    return lookups.map((lookup) => known.has(lookup));
  },
});

function stateOf({ at, seen, o, f, w = "", n, gap }: Hash): StreamState {
  const [from, to] = (gap ?? "").split(" ").map(Number);
  return {
    ...(at !== undefined && { at: Number(at) }),
    ...(seen !== undefined && { readAt: Number(seen) }),
    ...(o !== undefined && { origin: o }),
    failures: Number(f ?? 0),
    ...(w !== "" && { reason: w }),
    // Written by `advanceStream` and by nobody else.
    counts: n === undefined ? {} : (JSON.parse(n) as StreamState["counts"]),
    ...(from !== undefined && to !== undefined && { gap: [from, to] as const }),
  };
}
