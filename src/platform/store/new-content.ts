import type { Instant, TenantNumber } from "../../ids.ts";
import { keys, laneName } from "../keys.ts";
import { CONTENT } from "../scripts/content.ts";
import { AWAKE_MS, laneKeys } from "./lanes.ts";

const DAY_MS = 86_400_000;

/** For how long a subprocessor that cannot be reached is still told of deleted content. Then it is given up, and counted. */
export const TOLD_WITHIN_MS = 30 * DAY_MS;

/** The key lives longer than what is in it, so that whoever looks next counts what was given up. */
const CONTENT_KEPT_MS = TOLD_WITHIN_MS + 10 * DAY_MS;

/** For how long it is shown how much came, and how much was told. */
export const COUNTED_MS = 35 * DAY_MS;

export const dayOf = (now: Instant): number => Math.floor(now / DAY_MS);

/** Some deleted content of one delivery, sealed for one subprocessor. The id is derived from source and event ids. */
export type Chunk = {
  readonly id: string;
  readonly items: number;
  readonly wrapped: string;
  readonly sealed: string;
};

/** The deleted content of one delivery. Every subprocessor is told in the same number of chunks; none: it is only counted. */
export type NewContent = {
  readonly n: TenantNumber;
  readonly version: string;
  readonly now: Instant;
  readonly source: string;
  readonly delivery: string;
  readonly items: number;
  readonly told: readonly { readonly subprocessor: string; readonly chunks: readonly Chunk[] }[];
};

export type KeptContent = {
  readonly result: "kept" | "repeated" | "stale";
  readonly woken: readonly string[];
};

export function contentCommand({ n, version, now, source, delivery, items, told }: NewContent) {
  const entries = told.flatMap(({ subprocessor, chunks }) => [
    laneName(n, subprocessor),
    ...chunks.flatMap((chunk) => [chunk.id, chunk.items, chunk.wrapped, chunk.sealed]),
  ]);
  const chunks = told[0]?.chunks.length ?? 0;
  return {
    script: CONTENT,
    keys: [
      keys.tenant(n),
      keys.contentCounts(n, dayOf(now)),
      ...told.flatMap(({ subprocessor }) => [keys.content(n, subprocessor), ...laneKeys(laneName(n, subprocessor))]),
    ],
    args: [version, now, now + AWAKE_MS, source, items, delivery, CONTENT_KEPT_MS, COUNTED_MS, chunks, ...entries],
  };
}

export function readKept([result, ...woken]: readonly string[]): KeptContent {
  return { result: result === "kept" || result === "repeated" ? result : "stale", woken };
}
