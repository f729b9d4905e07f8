import { TZDate } from "@date-fns/tz";
import { addDays, startOfDay } from "date-fns";
import type { Integration } from "../contract/integration.ts";
import type { Instant } from "../ids.ts";
import type { Subprocessor } from "./subprocessor.ts";

/** What a vendor allows an account today. */
export type Quota = {
  /** Of whom it is: the shared account, or the subprocessor. */
  readonly account: string;
  /** The day as its zone counts it, such as 2026-11-21. */
  readonly day: string;
  readonly allowed: number;
  readonly ends: Instant;
};

/**
 * The day's quota of a subprocessor: what the tenant entered, else what the integration states; undefined where there is none. Where
 * the vendor counts any 24 hours, or nobody knows what, half is used of each day in UTC, so that no 24 hours have more.
 */
export function quotaOf(
  { id, quota }: Pick<Subprocessor, "id" | "quota">,
  { limits: { perDay } }: Pick<Integration, "limits">,
  account: string | undefined,
  now: Instant,
): Quota | undefined {
  const calls = quota?.perDay ?? perDay?.calls;
  if (calls === undefined) return undefined;
  const resets = quota?.resets ?? perDay?.resets ?? "rolling";
  const day = startOfDay(new TZDate(now, resets === "rolling" ? "UTC" : resets));
  return {
    account: account ?? id,
    day: [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, "0")).join("-"),
    allowed: resets === "rolling" ? Math.max(1, Math.floor(calls / 2)) : calls,
    ends: addDays(day, 1).getTime(),
  };
}
