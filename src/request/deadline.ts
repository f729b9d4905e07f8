import { TZDate } from "@date-fns/tz";
import { addDays, addMonths, addYears, endOfDay, endOfYear, startOfDay } from "date-fns";
import type { Instant } from "../ids.ts";
import type { Policy } from "./policy.ts";

/**
 * The last moment by which a request must be answered: the end of that local day.
 *
 * Months end on the same date, or on the month's last day where that does not exist (Regulation 1182/71 Art. 3(2)(c));
 * days are counted after the day of receipt. A last day that is a holiday is not moved, which is the stricter reading.
 *
 * @see https://gdpr-info.eu/art-12-gdpr/ paragraph 3
 */
export function deadline(received: Instant, policy: Pick<Policy, "deadline" | "zone">): Instant {
  const known = lastDay.get(policy);
  if (known !== undefined && received >= known.from && received <= known.to) return known.due;
  const from = new TZDate(received, policy.zone);
  const { deadline: period } = policy;
  const due = endOfDay("months" in period ? addMonths(from, period.months) : addDays(from, period.days)).getTime();
  lastDay.set(policy, { from: startOfDay(from).getTime(), to: endOfDay(from).getTime(), due });
  return due;
}

/** All of a local day has one deadline, and zone arithmetic is dear: what was found last is kept as long as its policy. */
const lastDay = new WeakMap<object, { readonly from: Instant; readonly to: Instant; readonly due: Instant }>();

/** When people are warned: at 70% of the time, so that there is still time to act. */
export const watchAt = (received: Instant, due: Instant): Instant => received + Math.floor((due - received) * 0.7);

/** The last moment at which something may be kept; it is erased then. */
export function keptUntil(
  received: Instant,
  { keep, from }: Pick<Policy["retention"][number], "keep" | "from">,
  zone: string,
): Instant {
  const local = new TZDate(received, zone);
  const start = from === "year_end" ? endOfYear(local) : local;
  return endOfDay("years" in keep ? addYears(start, keep.years) : addDays(start, keep.days)).getTime();
}

export const days = (count: number): number => count * 86_400_000;

/** RFC 3339 in UTC, whole seconds where nothing is lost. */
export const rfc3339 = (at: Instant): string => new Date(at).toISOString();
