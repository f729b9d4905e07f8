import { TZDate } from "@date-fns/tz";
import { addDays, addMonths, addYears, endOfDay, endOfYear } from "date-fns";
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
export function deadline(received: Instant, { deadline: period, zone }: Pick<Policy, "deadline" | "zone">): Instant {
  const from = new TZDate(received, zone);
  return endOfDay("months" in period ? addMonths(from, period.months) : addDays(from, period.days)).getTime();
}

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
