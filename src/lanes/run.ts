import { type Instant, tenantNumber } from "../ids.ts";
import { GATEWAY, parseLane } from "../platform/keys.ts";
import type { Settle } from "../platform/store/lanes.ts";
import type { Ports } from "../ports.ts";
import { accountOf } from "../registry/account.ts";
import type { Context } from "../registry/load.ts";
import { quotaOf } from "../registry/quota.ts";
import { rfc3339 } from "../request/deadline.ts";
import { steps } from "../request/steps.ts";
import { BATCH, LEASE_MARGIN_MS, LEASE_MS, MOST_BATCH, newToken, RUN_MS, sizer, stepBatch } from "./lane.ts";
import { spender } from "./meter.ts";
import { work } from "./work.ts";

/** Why a run ended: nothing was due, its time was up, the holder did not bear more, or others are at work. */
export type Ran = { readonly ended: "empty" | "time" | "paused" | "busy" | "full"; readonly woken: readonly string[] };

/** A second time-out in one run opens the lane's circuit for this long. */
const CIRCUIT_MS = 60_000;
const TIMEOUTS = 2;

/**
 * Works one lane until nothing is due or its time is up: claim → call → settle. Settling one batch and claiming the next
 * is one round trip.
 */
export async function run(ports: Ports, lane: string, until: Instant): Promise<Ran> {
  const { n, subprocessor } = parseLane(lane);
  const woken = new Set<string>();
  const ended = (why: Ran["ended"]): Ran => ({ ended: why, woken: [...woken] });
  const end = Math.min(until, ports.now() + RUN_MS);
  const id = newToken(ports);
  const spends = spender();
  let size: ReturnType<typeof sizer> | undefined;
  let settle: Settle | undefined;
  let timeouts = 0;

  for (;;) {
    const context = await ports.tenants.byNumber(tenantNumber(n));
    const shared = context && (await accountOf(ports, context, subprocessor));
    const account = shared === undefined ? {} : { account: shared.name };
    const now = ports.now();
    const token = newToken(ports);
    const quota = context && quotaNow(ports, context, subprocessor, shared?.name, now);
    const spending = quota === undefined ? {} : { spending: spends.stand(quota) };
    size ??= context && sizer(firstBatch(ports, context, subprocessor));
    const stop = context === undefined || now >= end || settle?.pauseUntil !== undefined;
    const { settled, claim: claimed } = await ports.store.settleAndClaim(
      lane,
      settle && {
        ...settle,
        ...(stop && { release: id, ...(spending.spending && { spent: spending.spending }) }),
      },
      stop
        ? undefined
        : {
            token,
            most: size?.most() ?? BATCH,
            leaseUntil: now + LEASE_MS,
            run: id,
            ...account,
            ...spending,
          },
      now,
    );
    for (const each of settled?.woken ?? []) woken.add(each);
    if (context === undefined) return ended("empty");
    if (stop) return ended(settle?.pauseUntil === undefined ? "time" : "paused");
    if (claimed === undefined || claimed.state === "none") return ended("empty");
    if (claimed.state === "paused" && claimed.isSpent === true)
      ports.log("lane_at_quota", { tenant: context.tenant.slug, subprocessor, until: rfc3339(claimed.until) });
    if (claimed.state !== "batch") return ended(claimed.state);

    if (subprocessor === GATEWAY) {
      const done = await steps(ports, context, token, claimed.orders);
      for (const each of done.woken) woken.add(each);
      settle = { token, settlements: done.settlements };
      continue;
    }
    if (claimed.calls !== undefined) spends.allow(claimed.calls);
    const bounds = {
      run: id,
      end,
      // A call belongs to the day in which its batch was claimed.
      until: Math.min(now + LEASE_MS - LEASE_MARGIN_MS, quota?.ends ?? Number.POSITIVE_INFINITY),
      timeouts: TIMEOUTS - timeouts,
      ...(claimed.calls !== undefined && { quota: spends.meter }),
    };
    const { settlements, thaws, ...worked } = await work(ports, context, lane, { ...claimed, token }, bounds);
    // The share of a day's calls that a batch gets is for a first one.
    if (quota === undefined)
      size?.note({ claimed: claimed.orders.length, left: worked.left, tookMs: ports.now() - now });
    timeouts += worked.timeouts;
    const rest = Math.max(worked.rest, timeouts >= TIMEOUTS ? ports.now() + CIRCUIT_MS : 0);
    const pauseUntil = Math.max(rest, worked.repeat);
    settle = {
      token,
      settlements,
      ...(thaws !== undefined && { thaws }),
      ...(pauseUntil > 0 && { pauseUntil }),
      // A batch that waits to be repeated is the lane's own matter.
      ...(rest > 0 && account),
    };
    if (pauseUntil > 0)
      ports.log("lane_paused", { tenant: context.tenant.slug, subprocessor, until: rfc3339(pauseUntil) });
  }
}

/** A run's first batch: what a holder takes in one call, where it takes many. */
function firstBatch(ports: Ports, { tenant }: Context, subprocessor: string): number {
  if (subprocessor === GATEWAY) return stepBatch(Object.keys(tenant.subprocessors).length);
  const integration = ports.integrations.get(tenant.subprocessors[subprocessor]?.integration ?? "");
  const most = Object.values(integration?.actions ?? {}).map((action) => ("bulk" in action ? action.bulk.most : 0));
  return Math.min(Math.max(BATCH, ...most), MOST_BATCH);
}

function quotaNow(ports: Ports, { tenant }: Context, subprocessor: string, account: string | undefined, now: Instant) {
  const entry = tenant.subprocessors[subprocessor];
  const integration = ports.integrations.get(entry?.integration ?? "");
  return entry === undefined || integration === undefined ? undefined : quotaOf(entry, integration, account, now);
}
