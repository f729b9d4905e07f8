import type { Instant } from "../ids.ts";

/** How long a claim lasts. Longer than a batch may take; what is not settled by then is claimed again. */
export const LEASE_MS = 120_000;

/** No call begins in the last part of a lease: it may take as long as a call may, and settling takes its time too. */
export const LEASE_MARGIN_MS = 15_000;

/** How much is claimed at first, while nothing is known of the holder's pace: its lease can bear that. */
export const BATCH = 50;

/** How much is claimed at most; some kilobytes an order, in one answer of the store (`scripts/claim.ts` has the bound in bytes). */
export const MOST_BATCH = 500;

/** What a batch is to take. A holder that becomes five times slower in the middle of one is still done within its lease. */
const BATCH_MS = 20_000;

/** Tasks whose requests are started, or closed, at once: two kilobytes each, a third more as the store writes them, in one answer. */
const STEP_TASKS = 2_500;

/** What became of a batch: orders that went back because one call of their holder takes no more, and the time that it took. */
export type Paced = { readonly claimed: number; readonly left: number; readonly tookMs: number };

/**
 * The size of a run's batches. Each is what the holder got through in some seconds at the pace of the one before; where a
 * holder takes many in one call and no more, what it takes.
 */
export function sizer(first: number): { readonly most: () => number; readonly note: (paced: Paced) => void } {
  let most = first;
  let cap = MOST_BATCH;
  return {
    most: () => most,
    note: ({ claimed, left, tookMs }) => {
      if (left > 0) cap = Math.max(BATCH, claimed - left);
      const atPace = Math.floor(((claimed - left) * BATCH_MS) / Math.max(tookMs, 1));
      most = Math.min(Math.max(atPace, BATCH), cap);
    },
  };
}

/** Requests that are started or closed at once: the more holders a tenant has, the more each of them is. */
export const stepBatch = (subprocessors: number): number =>
  Math.min(Math.max(Math.floor(STEP_TASKS / Math.max(subprocessors, 1)), 1), MOST_BATCH);

/** A run ends after this long, so that one invocation stays well within its limits; the rest is woken again. */
export const RUN_MS = 60_000;

/** Attempts without progress after which a task is shown as stuck. It is still tried, now and then. */
export const STUCK_AFTER = 8;

const FIRST_BACKOFF_MS = 5_000;
const LAST_BACKOFF_MS = 6 * 3_600_000;

/** Exponential, with full jitter above half: `random` is in [0, 1). */
export function backoffMs(fails: number, random: number): number {
  const whole = Math.min(FIRST_BACKOFF_MS * 2 ** Math.max(fails - 1, 0), LAST_BACKOFF_MS);
  return Math.round(whole / 2 + (whole / 2) * random);
}

const DEFAULT_REST_MS = 30_000;
const LONGEST_REST_MS = 24 * 3_600_000;

/**
 * How long a lane rests after "too many requests": `Retry-After` in seconds or as a date, else half a minute; never
 * longer than a day, whatever a vendor says.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function restMs(retryAfter: string | undefined, now: Instant, random: number): number {
  if (retryAfter === undefined) return DEFAULT_REST_MS + Math.round(DEFAULT_REST_MS * random);
  const ms = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  return Number.isNaN(ms) ? DEFAULT_REST_MS : Math.min(Math.max(ms, 1000), LONGEST_REST_MS);
}

/** An unguessable name of a run, a claim or a batch, from the port's randomness. */
export const newToken = ({ random }: { readonly random: (bytes: number) => Uint8Array }): string =>
  Array.from(random(16), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** A number in [0, 1) from the port's randomness. */
export const randomOf = ({ random }: { readonly random: (bytes: number) => Uint8Array }): number =>
  (random(1)[0] ?? 0) / 256;
