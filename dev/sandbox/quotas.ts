import { z } from "zod";

/** As `PUT /quotas/{vendor}` takes it. */
export const Quota = z.strictObject({
  per_second: z.number().positive(),
  retry_after_seconds: z.number().min(0).optional(),
});
export type Quota = z.infer<typeof Quota>;

/** Requests a second and vendor, counted over the second that has just gone by. Off until set. */
export type Quotas = {
  set(vendor: string, quota: Quota): void;
  /** The quota that this call is over, if any. A refused call does not count against it. */
  exceeded(vendor: string, now: number): Quota | undefined;
  shown(): Record<string, Quota>;
  clear(vendor?: string): void;
};

export function quotas(): Quotas {
  const set = new Map<string, { quota: Quota; calls: number[] }>();
  return {
    set: (vendor, quota) => void set.set(vendor, { quota, calls: [] }),
    exceeded(vendor, now) {
      const entry = set.get(vendor);
      if (!entry) return undefined;
      // A clock that was moved back leaves calls in the future; they say nothing about the second behind us.
      entry.calls = entry.calls.filter((at) => at > now - 1000 && at <= now);
      if (entry.calls.length >= entry.quota.per_second) return entry.quota;
      entry.calls.push(now);
      return undefined;
    },
    shown: () => Object.fromEntries([...set].map(([vendor, { quota }]) => [vendor, quota])),
    clear(vendor) {
      if (vendor === undefined) set.clear();
      else set.delete(vendor);
    },
  };
}
