import { type Instant, tenantNumber } from "../ids.ts";
import { GATEWAY, parseLane } from "../platform/keys.ts";
import type { Settle } from "../platform/store/lanes.ts";
import type { Ports } from "../ports.ts";
import { accountOf } from "../registry/account.ts";
import type { Context } from "../registry/load.ts";
import { rfc3339 } from "../request/deadline.ts";
import { steps } from "../request/steps.ts";
import { BATCH, BULK_BATCH, LEASE_MARGIN_MS, LEASE_MS, RUN_MS } from "./lane.ts";
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
  let settle: Settle | undefined;
  let timeouts = 0;

  for (;;) {
    const context = await ports.tenants.byNumber(tenantNumber(n));
    if (context === undefined) return ended("empty");
    const shared = await accountOf(ports, context, subprocessor);
    const account = shared === undefined ? {} : { account: shared };
    const now = ports.now();
    const token = newToken(ports);
    const stop = now >= end || settle?.pauseUntil !== undefined;
    const claim = {
      token,
      most: mostOf(ports, context, subprocessor),
      leaseUntil: now + LEASE_MS,
      run: id,
      ...account,
    };
    const { settled, claim: claimed } = await ports.store.settleAndClaim(
      lane,
      settle && { ...settle, ...account, ...(stop && { release: id }) },
      stop ? undefined : claim,
      now,
    );
    for (const each of settled?.woken ?? []) woken.add(each);
    if (stop) return ended(settle?.pauseUntil === undefined ? "time" : "paused");
    if (claimed === undefined || claimed.state === "none") return ended("empty");
    if (claimed.state !== "batch") return ended(claimed.state);

    if (subprocessor === GATEWAY) {
      const done = await steps(ports, context, token, claimed.orders);
      for (const each of done.woken) woken.add(each);
      settle = { token, settlements: done.settlements };
      continue;
    }
    const bounds = { end, until: now + LEASE_MS - LEASE_MARGIN_MS, timeouts: TIMEOUTS - timeouts };
    const worked = await work(ports, context, lane, claimed, bounds);
    timeouts += worked.timeouts;
    const rest = Math.max(worked.rest, timeouts >= TIMEOUTS ? ports.now() + CIRCUIT_MS : 0);
    const { settlements, thaws } = worked;
    settle = { token, settlements, thaws, ...(rest > 0 && { pauseUntil: rest }) };
    if (rest > 0) ports.log("lane_paused", { tenant: context.tenant.slug, subprocessor, until: rfc3339(rest) });
  }
}

const newToken = (ports: Ports): string =>
  Array.from(ports.random(16), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** A lane whose holder takes many at once is claimed in larger batches. */
function mostOf(ports: Ports, { tenant }: Context, subprocessor: string): number {
  const integration = ports.integrations.get(tenant.subprocessors[subprocessor]?.integration ?? "");
  return Object.values(integration?.actions ?? {}).some((action) => "bulk" in action) ? BULK_BATCH : BATCH;
}
