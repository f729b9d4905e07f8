import { type Integration, isAbsent, isBulk } from "../contract/integration.ts";
import type { Instant } from "../ids.ts";
import { type Quota, quotaOf } from "../registry/quota.ts";
import type { Tenant } from "../registry/tenant.ts";
import { days, rfc3339 } from "./deadline.ts";
import type { Integrations, Planned } from "./plan.ts";

/** A holder's quota does not let all be done there by this request's deadline that is due until then. */
export type Shortage = {
  readonly task: string;
  readonly subprocessor: string;
  readonly reason: "quota";
  /** What waits there until that deadline, this task among it. */
  readonly ahead: number;
  readonly per_day: number;
  /** When the last of them can be begun, at the very best. */
  readonly earliest_at: string;
};

/** The planned orders that go to a holder with a daily quota. */
export function underQuota(
  planned: readonly Planned[],
  { subprocessors }: Pick<Tenant, "subprocessors">,
  integrations: Integrations,
  now: Instant,
): readonly {
  readonly task: string;
  readonly subprocessor: string;
  readonly quota: Quota;
  readonly together: number;
}[] {
  return planned.flatMap(({ what, task }) => {
    const entry = subprocessors[task.subprocessor];
    const integration = integrations.get(task.integration);
    if ((what !== "order" && what !== "wait") || entry === undefined || integration === undefined) return [];
    const quota = quotaOf(entry, integration, undefined, now);
    if (quota === undefined) return [];
    return [{ task: task.id, subprocessor: task.subprocessor, quota, together: togetherIn(integration) }];
  });
}

/** How many erasures one call may take at most. */
const togetherIn = ({ actions: { erase } }: Integration): number =>
  isAbsent(erase) || !isBulk(erase) ? 1 : erase.bulk.most;

/**
 * Whether so many orders can be done by the deadline, a call for each and none for anything else: where that is too late,
 * everything that really happens is later still. What was already used today, and what others ask, is left out.
 */
export function shortageOf(
  { task, subprocessor, quota, together }: ReturnType<typeof underQuota>[number],
  ahead: number,
  deadline: Instant,
): Shortage | undefined {
  const fullDays = Math.ceil(ahead / (quota.allowed * together)) - 1;
  if (fullDays < 1) return undefined;
  const earliest = quota.ends + days(fullDays - 1);
  if (earliest <= deadline) return undefined;
  return { task, subprocessor, reason: "quota", ahead, per_day: quota.allowed, earliest_at: rfc3339(earliest) };
}
