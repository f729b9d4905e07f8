import { z } from "zod";

/** A legal hold: a stop on erasure of some data on a stated ground, until it is lifted, with a date to review it. */
export const HoldInput = z.strictObject({
  /** The person, by one of their identities; absent: everyone. */
  identity: z.strictObject({ type: z.string(), value: z.string().min(1).max(512) }).optional(),
  /** Which subprocessors' data is held; absent: all of them. */
  subprocessors: z.array(z.string()).min(1).optional(),
  reason: z.string().min(1).max(500),
  review_at: z.iso.datetime(),
});

export type Hold = {
  readonly id: string;
  /** The person's subject key, if the hold is on one person. */
  readonly subject?: string;
  readonly subprocessors?: readonly string[];
  readonly reason: string;
  readonly reviewAt: string;
  readonly placedAt: string;
  readonly placedBy: string;
};

export const isHeld = (holds: readonly Hold[], subject: string | undefined, subprocessor: string): Hold | undefined =>
  holds.find(
    (hold) =>
      (hold.subject === undefined || hold.subject === subject) &&
      (hold.subprocessors === undefined || hold.subprocessors.includes(subprocessor)),
  );
