import type { Identity } from "../contract/identity.ts";
import { type Integration, isAbsent } from "../contract/integration.ts";
import { type Instant, tenantNumber } from "../ids.ts";
import { GATEWAY, parseLane } from "../platform/keys.ts";
import type { Claimed, Settlement } from "../platform/store/lanes.ts";
import { CannotOpen, type Ports, type SealingKey } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { settingsOf } from "../registry/settings.ts";
import { days, rfc3339 } from "../request/deadline.ts";
import { isHeld } from "../request/hold.ts";
import { failed } from "../request/step.ts";
import { steps } from "../request/steps.ts";
import type { OpenTask, Task } from "../request/task.ts";
import { type Attempt, drive, type Job, type Pace } from "./drive.ts";
import { ECHO_MS } from "./echo.ts";
import { BATCH, LEASE_MARGIN_MS, LEASE_MS, RUN_MS } from "./lane.ts";
import { noticed } from "./notice.ts";
import {
  type Cursor,
  cursorPlace,
  firstCursor,
  learnedPlace,
  type OrderPayload,
  residueOf,
  sealPlace,
} from "./order.ts";

/** Why a run ended: nothing was due, its time was up, or the holder did not bear more. */
export type Ran = { readonly ended: "empty" | "time" | "paused"; readonly woken: readonly string[] };

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
  const end = Math.min(until, ports.now() + RUN_MS);
  let settle: { token: string; settlements: readonly Settlement[]; pauseUntil?: Instant } | undefined;
  let timeouts = 0;

  for (;;) {
    const now = ports.now();
    const stop = now >= end || settle?.pauseUntil !== undefined;
    const token = newToken(ports);
    const claim = stop ? undefined : { token, most: BATCH, leaseUntil: now + LEASE_MS };
    const { settled, claim: claimed } = await ports.store.settleAndClaim(lane, settle, claim, now);
    for (const each of settled?.woken ?? []) woken.add(each);
    if (stop) return { ended: settle?.pauseUntil === undefined ? "time" : "paused", woken: [...woken] };
    if (claimed === undefined || claimed.state !== "batch")
      return { ended: claimed?.state === "paused" ? "paused" : "empty", woken: [...woken] };

    const context = await ports.tenants.byNumber(tenantNumber(n));
    if (context === undefined) return { ended: "empty", woken: [...woken] };
    if (subprocessor === GATEWAY) {
      const done = await steps(ports, context, token, claimed.orders);
      for (const each of done.woken) woken.add(each);
      settle = { token, settlements: done.settlements };
      continue;
    }
    const bounds = { end, until: now + LEASE_MS - LEASE_MARGIN_MS, timeouts: TIMEOUTS - timeouts };
    const batch = await work(ports, context, subprocessor, claimed.orders, bounds);
    timeouts += batch.timeouts;
    const rest = Math.max(batch.rest, timeouts >= TIMEOUTS ? ports.now() + CIRCUIT_MS : 0);
    settle = { token, settlements: batch.settlements, ...(rest > 0 && { pauseUntil: rest }) };
    if (rest > 0) ports.log("lane_paused", { tenant: context.tenant.slug, subprocessor, until: rfc3339(rest) });
  }
}

const newToken = (ports: Ports): string =>
  Array.from(ports.random(16), (byte) => byte.toString(16).padStart(2, "0")).join("");

type Batch = { readonly settlements: readonly Settlement[]; readonly rest: Instant; readonly timeouts: number };

/** Drives a batch over as many connections as the holder bears. Once it asks for rest, the others go back untouched. */
async function work(
  ports: Ports,
  context: Context,
  subprocessor: string,
  orders: readonly Claimed[],
  bounds: { readonly end: Instant; readonly until: Instant; readonly timeouts: number },
): Promise<Batch> {
  const settlements: Settlement[] = [];
  let rest = 0;
  let timeouts = 0;
  let slot = 0;
  const integration = ports.integrations.get(context.tenant.subprocessors[subprocessor]?.integration ?? "");
  const gapMs = 1000 / (integration?.limits.perSecond ?? Number.POSITIVE_INFINITY);
  const turn = async (): Promise<void> => {
    slot = Math.max(slot + gapMs, ports.now());
    await ports.sleep(slot - ports.now());
  };
  const queue = [...orders];
  const worker = async (): Promise<void> => {
    for (let order = queue.shift(); order !== undefined; order = queue.shift()) {
      if (rest > 0 || timeouts >= bounds.timeouts || ports.now() >= bounds.end) {
        settlements.push(untouched(order, ports.now()));
        continue;
      }
      const result = await one(ports, context, subprocessor, order, { turn, until: bounds.until }).catch(
        // What is wrong with one order is its own, and holds up nobody else of the batch.
        (error: unknown): One => ({ settlement: failed(ports, order, error), rest: 0, hung: false }),
      );
      settlements.push(result.settlement);
      rest = Math.max(rest, result.rest);
      if (result.hung) timeouts++;
    }
  };
  await Promise.all(Array.from({ length: integration?.limits.connections ?? 1 }, worker));
  return { settlements, rest, timeouts };
}

/** An order that was claimed and not begun goes back as it was. */
function untouched(order: Claimed, due: Instant): Settlement {
  // Its deadline is only its place among others, and a damaged payload is for its own attempt to find.
  const deadline = Number(/"deadline":(\d+)/.exec(order.payload)?.[1] ?? due);
  return { id: order.id, attempt: order.attempt, deadline, what: "back", due, cursor: "" };
}

// Written by `start` and by nobody else; an order of the gateway's own steps has no payload.
const readPayload = (payload: string): OrderPayload | undefined =>
  payload === "" ? undefined : (JSON.parse(payload) as OrderPayload);

type One = { readonly settlement: Settlement; readonly rest: Instant; readonly hung: boolean };

async function one(ports: Ports, context: Context, subprocessor: string, order: Claimed, pace: Pace): Promise<One> {
  const payload = readPayload(order.payload);
  if (payload === undefined)
    return { settlement: await noticed(ports, context, subprocessor, order, pace), rest: 0, hung: false };
  const opened = await openJob(ports, context, subprocessor, payload, order);
  if (typeof opened === "string") {
    const task: OpenTask = { ...payload.task, state: "stuck", attempts: order.attempt, reason: opened };
    return { settlement: settlementOf(order, payload, task, { what: "park", cursor: "" }), rest: 0, hung: false };
  }
  const { job, key } = opened;
  const held =
    payload.task.action === "erase" && isHeld(context.tenant.holds, payload.subject, subprocessor) !== undefined;
  if (held) return { settlement: await heldBack(ports, order, payload, key, job.cursor), rest: 0, hung: false };
  const known = job.cursor.learned.length;
  const attempt = await drive(ports, { ...job, ...pace });
  const fresh = attempt.cursor.learned.slice(known);
  if (fresh.length > 0) await suppressEchoes(ports, context, payload, fresh);
  const settlement = await settled(ports, context, order, payload, key, attempt);
  return { settlement, rest: attempt.rest ?? 0, hung: attempt.hung === true };
}

/** A legal hold that was placed while the order waited: it is asked about again each day until the hold is lifted. */
async function heldBack(
  ports: Ports,
  order: Claimed,
  payload: OrderPayload,
  key: SealingKey,
  cursor: Cursor,
): Promise<Settlement> {
  const task: OpenTask = {
    ...payload.task,
    state: "stuck",
    attempts: order.attempt,
    reason: "a legal hold stops this erasure",
  };
  const sealed = await key.seal(cursorPlace(payload.request, payload.task.id), JSON.stringify(cursor));
  return settlementOf(order, payload, task, { what: "back", due: ports.now() + days(1), cursor: sealed });
}

async function openJob(
  ports: Ports,
  context: Context,
  subprocessor: string,
  payload: OrderPayload,
  order: Claimed,
): Promise<{ readonly job: Omit<Job, keyof Pace>; readonly key: SealingKey } | string> {
  const entry = context.tenant.subprocessors[subprocessor];
  const integration = ports.integrations.get(payload.task.integration);
  const action = payload.task.action === "manual" ? undefined : integration?.actions[payload.task.action];
  if (entry === undefined || integration === undefined || action === undefined || isAbsent(action))
    return "this subprocessor's integration no longer does this";
  const { request, task } = payload;
  try {
    const key = await context.keys.unwrap(`request ${request}`, payload.key);
    const text = order.cursor === "" ? undefined : await key.open(cursorPlace(request, task.id), order.cursor);
    // Sealed by this file and by nobody else, as the seal itself proves.
    const cursor =
      text === undefined ? await begin(key, payload, order, integration, action.by) : (JSON.parse(text) as Cursor);
    const settings = await settingsOf(context, subprocessor, integration.settings);
    return {
      job: { payload, cursor, integration, action, settings, salt: await context.keys.derive("receipt", request) },
      key,
    };
  } catch (error) {
    if (error instanceof CannotOpen) return "what was sealed for this task does not open";
    throw error;
  }
}

/**
 * The first attempt's targets: what was known at the start, and what earlier tasks have learned since. An id of a vendor's
 * own that was learned at one account of it means nothing at another.
 */
async function begin(
  key: SealingKey,
  payload: OrderPayload,
  order: Claimed,
  integration: Integration,
  by: readonly string[] | "any",
): Promise<Cursor> {
  const { request, task } = payload;
  const known = JSON.parse(await key.open(sealPlace(request, task.id), payload.sealed)) as Identity[];
  const lessons = await Promise.all(order.learned.map((sealed) => key.open(learnedPlace(request), sealed)));
  const learned = lessons
    .flatMap((text) => JSON.parse(text) as Identity[])
    .filter(({ type }) => (by === "any" || by.includes(type)) && !Object.hasOwn(integration.identities, type));
  const all = new Map([...known, ...learned].map((identity) => [`${identity.type}\u0000${identity.value}`, identity]));
  return firstCursor([...all.values()]);
}

/** What a search found is made known before it is touched, so that the vendor's echo of our erasure opens nothing. */
async function suppressEchoes(
  ports: Ports,
  context: Context,
  payload: OrderPayload,
  identities: readonly Identity[],
): Promise<void> {
  const entries = await Promise.all(
    identities.map(async (identity) => ({
      pseudonym: await context.keys.pseudonym("suppression", identity),
      value: `acted ${payload.request} ${payload.task.subprocessor}`,
      lifetimeMs: ECHO_MS,
    })),
  );
  await ports.store.suppress(context.tenant.n, entries);
}

async function settled(
  ports: Ports,
  context: Context,
  order: Claimed,
  payload: OrderPayload,
  key: SealingKey,
  attempt: Attempt,
): Promise<Settlement> {
  const { request } = payload;
  const { cursor } = attempt;
  const base = { ...payload.task, attempts: order.attempt };
  if ("end" in attempt) {
    const residue = await residueOf(key, request, base.id, cursor);
    const task: Task = {
      ...base,
      state: "ended",
      ended_at: rfc3339(ports.now()),
      ...attempt.end,
      evidence: cursor.evidence,
      ...(residue !== undefined && { residue }),
    };
    const learned =
      cursor.learned.length === 0 ? "" : await key.seal(learnedPlace(request), JSON.stringify(cursor.learned));
    ports.log("task_ended", { tenant: context.tenant.slug, request, task: task.id, outcome: task.outcome });
    return settlementOf(order, payload, task, { what: "end", learned, frees: payload.frees });
  }
  const sealed = await key.seal(cursorPlace(request, base.id), JSON.stringify(cursor));
  if ("park" in attempt) {
    if (attempt.park === "stuck") ports.log("task_stuck", { tenant: context.tenant.slug, request, task: base.id });
    const task: OpenTask = { ...base, state: attempt.park, reason: attempt.reason };
    return settlementOf(order, payload, task, { what: "park", cursor: sealed });
  }
  const task: OpenTask = {
    ...base,
    state: attempt.state,
    ...(attempt.reason !== undefined && { reason: attempt.reason }),
  };
  return settlementOf(order, payload, task, {
    what: "back",
    // A rest is the lane's: when it is lifted early, the order is ready.
    due: attempt.again,
    cursor: sealed,
  });
}

type What =
  | { readonly what: "end"; readonly learned: string; readonly frees: OrderPayload["frees"] }
  | { readonly what: "back"; readonly due: Instant; readonly cursor: string }
  | { readonly what: "park"; readonly cursor: string };

const settlementOf = (order: Claimed, payload: OrderPayload, task: Task, what: What): Settlement => ({
  id: order.id,
  attempt: order.attempt,
  task: { request: payload.request, id: task.id, document: JSON.stringify(task) },
  deadline: payload.deadline,
  ...what,
});
