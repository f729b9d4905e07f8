import { destroyTokens } from "../connections/connection.ts";
import { grantsFor, NoTokenNow, sparingOthers, theirGrants } from "../connections/held.ts";
import type { Identity } from "../contract/identity.ts";
import { actionWith, type Integration, isAbsent } from "../contract/integration.ts";
import { CONNECTION } from "../contract/oauth.ts";
import { type Instant, parseRequestId } from "../ids.ts";
import type { Claimed, Settlement } from "../platform/store/lanes.ts";
import { CannotOpen, type Ports, type SealingKey } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { settingsOf } from "../registry/settings.ts";
import { isFilledIn } from "../registry/subprocessor.ts";
import { days, rfc3339 } from "../request/deadline.ts";
import { isHeld } from "../request/hold.ts";
import { failed } from "../request/step.ts";
import { type OpenTask, type Task, tasksOf } from "../request/task.ts";
import { contentDeadline, isContent } from "./content.ts";
import type { Attempt, Job, Pace } from "./drive.ts";
import { ECHO_MS } from "./echo.ts";
import { backoffMs, randomOf, STUCK_AFTER } from "./lane.ts";
import {
  type Cursor,
  cursorPlace,
  firstCursor,
  learnedPlace,
  type OrderPayload,
  residueOf,
  sealPlace,
} from "./order.ts";

/** A claimed order, unsealed and ready to be driven. */
export type Opened = {
  readonly order: Claimed;
  readonly payload: OrderPayload;
  readonly job: Omit<Job, keyof Pace>;
  readonly key: SealingKey;
};

// Written by `start` and by nobody else; an order of the gateway's own steps has no payload.
export const readPayload = (payload: string): OrderPayload | undefined =>
  payload === "" ? undefined : (JSON.parse(payload) as OrderPayload);

/** Opens an order, or says what becomes of one that cannot be worked now. */
export async function open(
  ports: Ports,
  context: Context,
  subprocessor: string,
  payload: OrderPayload,
  order: Claimed,
): Promise<Opened | Settlement> {
  const opened = await openJob(ports, context, subprocessor, payload, order);
  if (opened instanceof NoTokenNow) return tokenless(ports, order, payload, opened);
  if (typeof opened === "string") {
    const task: OpenTask = { ...payload.task, state: "stuck", attempts: order.attempt, reason: opened };
    return settlementOf(order, payload, task, { what: "park", cursor: "" });
  }
  const { job, key } = opened;
  const held =
    payload.task.action !== "revoke" && isHeld(context.tenant.holds, payload.subject, subprocessor) !== undefined;
  return held ? heldBack(ports, order, payload, key, job.cursor) : { order, payload, job, key };
}

export const isOpened = (opened: Opened | Settlement): opened is Opened => "job" in opened;

/** An order that was claimed and not begun goes back as it was. */
export function untouched(order: Claimed, due: Instant): Settlement {
  // Its deadline is only its place among others, and a damaged payload is for its own attempt to find.
  const stated = /"deadline":(\d+)/.exec(order.payload)?.[1];
  const deadline = stated === undefined ? (isContent(order) ? contentDeadline(due) : due) : Number(stated);
  return { id: order.id, attempt: order.attempt, deadline, what: "back", due, cursor: "" };
}

/** An attempt at an order, and what it came to. */
export type Attempted = { readonly opened: Opened; readonly attempt: Attempt };

/** What the attempts of a batch came to. What they learned is first made known, all of it in one round trip. */
export async function concludedOrders(
  ports: Ports,
  context: Context,
  attempted: readonly Attempted[],
): Promise<readonly Settlement[]> {
  await suppressEchoes(ports, context, attempted);
  return Promise.all(attempted.map((each) => concludedOrder(ports, context, each)));
}

/** Sealed for its own request. What is wrong with one order leaves the others that were worked with it as they are. */
async function concludedOrder(
  ports: Ports,
  context: Context,
  { opened: { order, payload, key }, attempt }: Attempted,
): Promise<Settlement> {
  try {
    if ("end" in attempt) await destroyTokens(ports, context, endsOf(payload, attempt.cursor));
    return await settled(ports, context, order, payload, key, attempt);
  } catch (error) {
    return failed(ports, order, error);
  }
}

/** The connections that a task has ended: what became of each at the vendor is known, and the tokens are of no more use. */
const endsOf = ({ request }: OrderPayload, { targets }: Cursor) =>
  targets.flatMap(({ identity, state }) =>
    identity.type === CONNECTION && state.at === "done" ? [{ id: identity.value, outcome: state.answer, request }] : [],
  );

/** Nothing can be asked of the vendor now, and nothing is claimed: it is tried again, and what does not pass by itself is shown. */
function tokenless(ports: Ports, order: Claimed, payload: OrderPayload, { reason, passes }: NoTokenNow): Settlement {
  const { attempt } = order;
  const state = passes && attempt < STUCK_AFTER ? "queued" : "stuck";
  const task: OpenTask = { ...payload.task, state, attempts: attempt, reason };
  const due = ports.now() + backoffMs(attempt, randomOf(ports));
  return settlementOf(order, payload, task, { what: "back", due, cursor: "" });
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

const NO_LONGER = "this subprocessor's integration no longer does this";

async function openJob(
  ports: Ports,
  context: Context,
  subprocessor: string,
  payload: OrderPayload,
  order: Claimed,
): Promise<{ readonly job: Omit<Job, keyof Pace>; readonly key: SealingKey } | NoTokenNow | string> {
  const entry = context.tenant.subprocessors[subprocessor];
  const integration = ports.integrations.get(payload.task.integration);
  const declared = payload.task.action === "manual" ? undefined : integration?.actions[payload.task.action];
  if (entry === undefined || integration === undefined || declared === undefined) return NO_LONGER;
  const action = actionWith(declared, isFilledIn(entry));
  if (isAbsent(action)) return NO_LONGER;
  const { request, task } = payload;
  try {
    const key = await context.keys.unwrap(`request ${request}`, payload.key);
    const text = order.cursor === "" ? undefined : await key.open(cursorPlace(request, task.id), order.cursor);
    // Sealed by this file and by nobody else, as the seal itself proves.
    const begun =
      text === undefined ? await begin(key, payload, order, integration, action.by) : (JSON.parse(text) as Cursor);
    const isRevocation = task.action === "revoke";
    if (isRevocation && (await isStillNeeded(ports, context, subprocessor, integration, payload, begun)))
      return new NoTokenNow(
        "what was published has yet to be deleted with the grant, by this request or another of the same person",
        true,
      );
    const mayHaveChanged = isRevocation && ports.now() - Date.parse(payload.receivedAt) > PLAN_HOLDS_MS;
    const cursor = mayHaveChanged ? await sparingOthers(ports, context, subprocessor, integration, begun) : begun;
    const settings = await settingsOf(context, subprocessor, integration.settings);
    const held = await grantsFor(ports, context, subprocessor, integration, cursor);
    const theirs =
      cursor.connections === undefined
        ? {}
        : { theirs: await theirGrants(ports, context, subprocessor, integration, cursor) };
    const salt = await context.keys.derive("receipt", request);
    return { job: { payload, ...held, ...theirs, integration, action, settings, salt }, key };
  } catch (error) {
    if (error instanceof CannotOpen) return "what was sealed for this task does not open";
    if (error instanceof NoTokenNow) return error;
    throw error;
  }
}

/**
 * Of requests of one person, none takes from another the grant that it deletes with, nor from what was registered late; whoever
 * disconnects an account means just that.
 */
async function isStillNeeded(
  ports: Ports,
  { tenant: { n } }: Context,
  subprocessor: string,
  { actions }: Integration,
  { subject, task }: OrderPayload,
  { targets }: Cursor,
): Promise<boolean> {
  if (actions.unpublish === undefined || subject === undefined || task.scope !== undefined) return false;
  // What is published takes a grant of ours: an account's own id alone is none.
  if (!targets.some(({ identity }) => identity.type === CONNECTION)) return false;
  const { requests } = await ports.store.gate(n, subject);
  const open = requests.flatMap((id) => parseRequestId(id) ?? []);
  const hashes = await ports.store.load(open.slice(0, MOST_REQUESTS));
  return hashes
    .flatMap(tasksOf)
    .some((each) => each.subprocessor === subprocessor && each.action === "unpublish" && each.state !== "ended");
}

/** Who else has connected an account was asked when it was planned: so soon after that it is not asked again. */
const PLAN_HOLDS_MS = 60_000;

/** Whoever asks again and again does not make each revocation longer than the one before. */
const MOST_REQUESTS = 64;

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
  const isMeans = ({ type }: Identity) => type === CONNECTION && task.action === "unpublish";
  const means = [...all.values()].filter(isMeans).map(({ value }) => value);
  return firstCursor(
    [...all.values()].filter((identity) => !isMeans(identity)),
    means,
  );
}

/** What a search found is made known before it is touched, so that the vendor's echo of our erasure opens nothing. */
async function suppressEchoes(ports: Ports, context: Context, attempted: readonly Attempted[]): Promise<void> {
  const entries = await Promise.all(
    attempted.flatMap(({ opened: { job, payload }, attempt }) =>
      attempt.cursor.learned.slice(job.cursor.learned.length).map(async (identity) => ({
        pseudonym: await context.keys.pseudonym("suppression", identity),
        value: `acted ${payload.request} ${payload.task.subprocessor}`,
        lifetimeMs: ECHO_MS,
      })),
    ),
  );
  if (entries.length > 0) await ports.store.suppress(context.tenant.n, entries);
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
