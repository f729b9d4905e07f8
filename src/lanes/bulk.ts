import { type BulkAction, isBulk, type Order, type Steps } from "../contract/integration.ts";
import type { Answer } from "../contract/outcome.ts";
import type { Settings } from "../contract/settings.ts";
import type { Instant } from "../ids.ts";
import type { Frozen } from "../platform/store/lanes.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import type { Evidence } from "../request/task.ts";
import { concludedOrders, type Opened, untouched } from "./attempt.ts";
import { type Stopped, sender, stepped } from "./call.ts";
import {
  type Attempt,
  answer,
  concluded,
  failed,
  isReady,
  lookSteps,
  orderOf,
  type Pace,
  sighted,
  stillThere,
  withEvidence,
} from "./drive.ts";
import { newToken, STUCK_AFTER } from "./lane.ts";
import type { Cursor, Target } from "./order.ts";
import type { Bounds, Worked } from "./work.ts";

export type BulkOpened = Opened & { readonly job: { readonly action: BulkAction<Settings> } };

export const isBulkOpened = (opened: Opened): opened is BulkOpened => isBulk(opened.job.action);

/** One identity of one order, on its way through a bulk call. */
type Item = { readonly opened: BulkOpened; readonly target: Target };

/** The longest that a lane waits before it repeats a batch whose answer was lost; nothing else is sent meanwhile. */
const REPEAT_MS = 5 * 60_000;

/**
 * Asks about what was accepted, once for each piece of work, and makes one bulk call for what is to be done. Its members are
 * stored before the call, so that a lost answer is followed by the very same call. What it does not take goes back.
 */
export async function workBulk(
  ports: Ports,
  context: Context,
  lane: string,
  orders: readonly BulkOpened[],
  frozen: Frozen | undefined,
  pace: Pace,
  bounds: Bounds,
): Promise<Worked> {
  const now = ports.now();
  const [first] = orders;
  // Whoever was in a fixed batch has been held or parked: there is nothing left to repeat.
  if (first === undefined) return { settlements: [], rest: 0, repeat: 0, timeouts: 0, left: 0, thaws: frozen?.id };
  const { bulk } = first.job.action;
  // Another action of the same lane has a turn of its own.
  const ours = orders.filter(({ job }) => job.action === first.job.action);
  const due = ours.flatMap((opened) =>
    opened.job.cursor.targets.filter((target) => isReady(target, now)).map((target): Item => ({ opened, target })),
  );
  const todo = due.filter(({ target }) => target.state.at === "todo");
  // An answer about other work could put more into a batch that is to be repeated to the letter.
  const asked = frozen === undefined ? due.filter(({ target }) => target.state.at === "accepted") : [];

  const looked = frozen === undefined ? due.filter(({ target }) => target.state.at === "look") : [];

  const calls = caller(ports, pace);
  const mayGoOn = () =>
    calls.rest() === 0 &&
    calls.timeouts() < bounds.timeouts &&
    ports.now() < bounds.end &&
    bounds.quota?.isSpent() !== true;
  // Each order by itself: whether an answer serves an identity can depend on when it was asked for.
  for (const [reference, items] of Map.groupBy(asked, referenceOf))
    if (mayGoOn())
      await calls.make(
        items.map((item) => [item]),
        (each) => bulk.check?.(reference, each) ?? unasked(each),
      );

  for (const item of looked) if (mayGoOn()) await calls.look(item);

  const batch = fitting(todo, bulk.most);
  const members = [...new Set(batch.map(({ opened }) => opened.order.id))];
  const fixed = isSame(frozen, members) ? frozen : { id: `batch_${newToken(ports)}`, members };
  const isOurs =
    mayGoOn() &&
    members.length > 0 &&
    (fixed === frozen || (await ports.store.freeze(lane, bounds.run, fixed, ports.now())));
  const problem = isOurs
    ? await calls.make([...Map.groupBy(batch, identityOf).values()], (each) => bulk.run(each, fixed.id))
    : undefined;

  const ready = new Set(due.map(({ opened }) => opened));
  const isWaiting = (opened: BulkOpened) => opened.job.action !== first.job.action || ready.has(opened);
  const [left, worked] = parted(orders, (opened) => !calls.took(opened) && isWaiting(opened));
  const attempts = worked.map((opened) => ({ opened, attempt: calls.attempt(opened) }));
  const isLost =
    problem !== undefined &&
    LOST.has(problem.reason) &&
    // What is lost each time must not hold up the lane for ever.
    batch.some(({ opened }) => calls.cursorOf(opened).fails < STUCK_AFTER);
  const isKnown = members.length === 0 || (isOurs && !isLost);
  const agains = attempts.flatMap(({ attempt }) => ("again" in attempt ? [attempt.again] : []));
  return {
    settlements: [
      ...left.map(({ order }) => untouched(order, ports.now())),
      ...(await concludedOrders(ports, context, attempts)),
    ],
    rest: calls.rest(),
    repeat: isLost ? Math.min(ports.now() + REPEAT_MS, ...agains) : 0,
    timeouts: calls.timeouts(),
    left: left.length,
    thaws: isKnown ? (isOurs ? fixed : frozen)?.id : undefined,
  };
}

/** After these nobody knows whether the vendor has acted. */
const LOST: ReadonlySet<Stopped["reason"]> = new Set([
  "timed_out",
  "connection_failed",
  "too_large",
  "out_of_time",
  "out_of_quota",
]);

const isSame = (frozen: Frozen | undefined, members: readonly string[]): frozen is Frozen =>
  frozen !== undefined &&
  frozen.members.length === members.length &&
  frozen.members.every((id) => members.includes(id));

/** What makes two orders for one identity the same to the holder. */
const identityOf = ({ opened: { payload }, target: { identity } }: Item): string =>
  JSON.stringify([identity.type, identity.value, payload.task.scope, Object.keys(payload.keeps).sort()]);

const referenceOf = ({ target }: Item): string => (target.state.at === "accepted" ? target.state.reference : "");

/** As many as one call takes. An identity that several requests name is named once, and whoever names it goes along. */
function fitting(items: readonly Item[], most: number): readonly Item[] {
  const taken = new Set([...new Set(items.map(identityOf))].slice(0, most));
  return items.filter((item) => taken.has(identityOf(item)));
}

function parted<T>(all: readonly T[], is: (each: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [all.filter(is), all.filter((each) => !is(each))];
}

/** Makes calls for many and keeps what they come to, order by order. */
function caller(ports: Ports, pace: Pace) {
  const cursors = new Map<BulkOpened, Cursor>();
  const stops = new Map<BulkOpened, Attempt>();
  let rest = 0;
  let timeouts = 0;
  const cursorOf = (opened: BulkOpened) => cursors.get(opened) ?? opened.job.cursor;
  const stop = (opened: BulkOpened, attempt: Attempt) => {
    cursors.set(opened, attempt.cursor);
    if (!stops.has(opened)) stops.set(opened, attempt);
    rest = Math.max(rest, attempt.rest ?? 0);
  };

  /** One call for items, those that share one answer together. Answers why there is none, if there is none. */
  const make = async (
    named: readonly (readonly Item[])[],
    steps: (orders: readonly Order[]) => Steps<readonly Answer[]>,
  ): Promise<Stopped | undefined> => {
    const [[first] = []] = named;
    if (first === undefined) return undefined;
    const orders = named.flatMap(([item]) => (item === undefined ? [] : [orderFor(item, pace, ports.now())]));
    const { integration, settings } = first.opened.job;
    const evidence: Evidence[] = [];
    const answered = await stepped(steps(orders), sender(ports, { integration, settings, ...pace }, evidence));
    const taking = new Set(named.flat().map(({ opened }) => opened));
    for (const opened of taking) cursors.set(opened, withEvidence(cursorOf(opened), evidence));
    if ("problem" in answered) {
      if (answered.problem.reason === "timed_out") timeouts++;
      for (const opened of taking) stop(opened, failed(answered.problem, false, cursorOf(opened), ports));
      return answered.problem;
    }
    named.forEach((sharing, index) => {
      for (const { opened, target } of sharing) {
        const job = { ...opened.job, ...pace };
        const next = answer(answered.answer[index] ?? MISSING, target, cursorOf(opened), job, ports);
        cursors.set(opened, next.cursor);
        if (next.stop !== undefined) stop(opened, { cursor: next.cursor, ...next.stop });
      }
    });
    return undefined;
  };

  /** A later look at one identity. What is still there is asked for again, not at once. */
  const look = async ({ opened, target }: Item): Promise<void> => {
    const { integration, settings, action, salt } = opened.job;
    const evidence: Evidence[] = [];
    const salted = salt === undefined ? {} : { salt };
    const send = sender(ports, { integration, settings, ...salted, ...pace }, evidence);
    const order = orderFor({ opened, target }, pace, ports.now());
    const answered = await stepped(lookSteps(action, order), send);
    const cursor = withEvidence(cursorOf(opened), evidence);
    cursors.set(opened, cursor);
    if ("problem" in answered) {
      if (answered.problem.reason === "timed_out") timeouts++;
      stop(opened, failed(answered.problem, false, cursor, ports));
      return;
    }
    if (typeof answered.answer !== "string") {
      const next = answer(answered.answer, target, cursor, { ...opened.job, ...pace }, ports);
      cursors.set(opened, next.cursor);
      if (next.stop !== undefined) stop(opened, { cursor: next.cursor, ...next.stop });
      return;
    }
    const seen = sighted(answered.answer, target, cursor);
    cursors.set(opened, seen);
    if (answered.answer === "present") stop(opened, stillThere(seen, ports));
  };

  const attempt = (opened: BulkOpened): Attempt => {
    const stopped = stops.get(opened);
    const cursor = cursorOf(opened);
    // What its other identities came to is kept, whatever stopped one.
    if (stopped !== undefined) return { ...stopped, cursor };
    // The rest of a person with more identities than fitted.
    if (cursor.targets.some(({ state }) => state.at === "todo")) return { cursor, again: ports.now(), state: "queued" };
    return concluded(cursor, { ...opened.job, ...pace }, ports);
  };

  return {
    make,
    look,
    attempt,
    cursorOf,
    took: (opened: BulkOpened) => cursors.has(opened),
    rest: () => rest,
    timeouts: () => timeouts,
  };
}

function* unasked(orders: readonly Order[]): Steps<readonly Answer[]> {
  return orders.map(() => ({ outcome: "unforeseen", status: 0, what: "accepted work cannot be asked about" }));
}

const MISSING: Answer = { outcome: "unforeseen", status: 0, what: "the bulk call has no answer for this identity" };

const orderFor = ({ opened, target }: Item, pace: Pace, now: Instant): Order =>
  orderOf({ ...opened.job, ...pace }, target.identity, [target.identity], opened.job.cursor.epoch, now);
