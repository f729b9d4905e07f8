import { type BulkAction, isBulk, type Order, type Steps } from "../contract/integration.ts";
import type { Answer } from "../contract/outcome.ts";
import type { Settings } from "../contract/settings.ts";
import type { Instant } from "../ids.ts";
import type { Frozen, Settlement } from "../platform/store/lanes.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import type { Evidence } from "../request/task.ts";
import { concludedOrder, type Opened, untouched } from "./attempt.ts";
import { type Stopped, sender, stepped } from "./call.ts";
import { type Attempt, answer, concluded, failed, isReady, orderOf, type Pace, withEvidence } from "./drive.ts";
import type { Cursor, Target } from "./order.ts";

export type BulkOpened = Opened & { readonly job: { readonly action: BulkAction<Settings> } };

export const isBulkOpened = (opened: Opened): opened is BulkOpened => isBulk(opened.job.action);

export type BulkWorked = {
  readonly settlements: readonly Settlement[];
  readonly rest: Instant;
  readonly timeouts: number;
  /** False while nobody knows what became of the batch: it is then repeated as it was. */
  readonly thaws: boolean;
};

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
): Promise<BulkWorked> {
  const now = ports.now();
  const [first] = orders;
  if (first === undefined) return { settlements: [], rest: 0, timeouts: 0, thaws: false };
  const { bulk } = first.job.action;
  // Another action of the same lane has a turn of its own.
  const ours = orders.filter(({ job }) => job.action === first.job.action);
  const due = ours.flatMap((opened) =>
    opened.job.cursor.targets.filter((target) => isReady(target, now)).map((target): Item => ({ opened, target })),
  );
  const batch = fitting(
    due.filter(({ target }) => target.state.at === "todo"),
    bulk.most,
  );
  const asked = due.filter(({ target }) => target.state.at === "accepted");
  const idle = orders.filter((opened) => ![...batch, ...asked].some((item) => item.opened === opened));

  const { call, attempt } = calls(ports, pace);
  const problems: (Stopped | undefined)[] = [];
  for (const [reference, items] of Map.groupBy(asked, referenceOf))
    problems.push(
      // Each order by itself: whether an answer serves an identity can depend on when it was asked for.
      await call(
        items.map((item) => [item]),
        (each) => bulk.check?.(reference, each) ?? unasked(each),
      ),
    );
  const members = [...new Set(batch.map(({ opened }) => opened.order.id))];
  let problem: Stopped | undefined;
  if (members.length > 0) {
    const fixed = isSame(frozen, members) ? frozen : { id: `batch_${crypto.randomUUID()}`, members };
    if (fixed !== frozen) await ports.store.freeze(lane, fixed);
    problem = await call([...Map.groupBy(batch, identityOf).values()], (each) => bulk.run(each, fixed.id));
  }
  const attempts = [...new Set([...batch, ...asked].map(({ opened }) => opened))].map((opened) => ({
    opened,
    attempt: attempt(opened),
  }));
  const isLost = problem !== undefined && LOST.has(problem.reason);
  const repeat = isLost ? Math.min(now + REPEAT_MS, ...attempts.flatMap(({ attempt }) => again(attempt))) : 0;
  return {
    settlements: [
      ...idle.map(({ order }) => untouched(order, ports.now())),
      ...(await Promise.all(attempts.map(({ opened, attempt }) => concludedOrder(ports, context, opened, attempt)))),
    ],
    rest: Math.max(repeat, ...attempts.map(({ attempt }) => attempt.rest ?? 0)),
    timeouts: [...problems, problem].filter((each) => each?.reason === "timed_out").length,
    thaws: members.length > 0 && !isLost,
  };
}

/** After these nobody knows whether the vendor has acted. */
const LOST: ReadonlySet<Stopped["reason"]> = new Set(["timed_out", "connection_failed", "too_large", "out_of_time"]);

const again = (attempt: Attempt): number[] => ("again" in attempt ? [attempt.again] : []);

const isSame = (frozen: Frozen | undefined, members: readonly string[]): frozen is Frozen =>
  frozen !== undefined &&
  frozen.members.length === members.length &&
  frozen.members.every((id) => members.includes(id));

const identityOf = ({ target }: Item): string => `${target.identity.type}\u0000${target.identity.value}`;

const referenceOf = ({ target }: Item): string => (target.state.at === "accepted" ? target.state.reference : "");

/** As many as one call takes. An identity that several requests name is named once, and whoever names it goes along. */
function fitting(items: readonly Item[], most: number): readonly Item[] {
  const taken = new Set([...new Set(items.map(identityOf))].slice(0, most));
  return items.filter((item) => taken.has(identityOf(item)));
}

/** Makes calls for many and keeps what they come to, order by order. */
function calls(ports: Ports, pace: Pace) {
  const cursors = new Map<BulkOpened, Cursor>();
  const stops = new Map<BulkOpened, Attempt>();
  const cursorOf = (opened: BulkOpened) => cursors.get(opened) ?? opened.job.cursor;

  /** One call for items, those that share one answer together. Answers why there is none, if there is none. */
  const call = async (
    named: readonly (readonly Item[])[],
    steps: (orders: readonly Order[]) => Steps<readonly Answer[]>,
  ): Promise<Stopped | undefined> => {
    const orders = named.flatMap(([item]) => (item === undefined ? [] : [orderFor(item, pace, ports.now())]));
    const [[first] = []] = named;
    if (first === undefined) return undefined;
    const { integration, settings } = first.opened.job;
    const evidence: Evidence[] = [];
    const answered = await stepped(steps(orders), sender(ports, { integration, settings, ...pace }, evidence));
    // One call is evidence once, and fails once, however many of an order's identities went with it.
    const noted = new Set<BulkOpened>();
    named.forEach((sharing, index) => {
      for (const { opened, target } of sharing) {
        const cursor = noted.has(opened) ? cursorOf(opened) : withEvidence(cursorOf(opened), evidence);
        if ("problem" in answered) {
          if (noted.has(opened)) continue;
          const stop = failed(answered.problem, false, cursor, ports);
          cursors.set(opened, stop.cursor);
          stops.set(opened, stop);
          noted.add(opened);
          continue;
        }
        noted.add(opened);
        const next = answer(answered.answer[index] ?? MISSING, target, cursor, { ...opened.job, ...pace }, ports);
        cursors.set(opened, next.cursor);
        if (next.stop !== undefined) stops.set(opened, { cursor: next.cursor, ...next.stop });
      }
    });
    return "problem" in answered ? answered.problem : undefined;
  };

  const attempt = (opened: BulkOpened): Attempt => {
    const stop = stops.get(opened);
    const cursor = cursorOf(opened);
    // What was answered for the order's other identities, before it or after, stands.
    if (stop !== undefined) return { ...stop, cursor };
    // The rest of a person with more identities than fitted.
    if (cursor.targets.some(({ state }) => state.at === "todo")) return { cursor, again: ports.now(), state: "queued" };
    return concluded(cursor, { ...opened.job, ...pace }, ports);
  };

  return { call, attempt };
}

function* unasked(orders: readonly Order[]): Steps<readonly Answer[]> {
  return orders.map(() => ({ outcome: "unforeseen", status: 0, what: "accepted work cannot be asked about" }));
}

const MISSING: Answer = { outcome: "unforeseen", status: 0, what: "the bulk call has no answer for this identity" };

const orderFor = ({ opened, target }: Item, pace: Pace, now: Instant): Order =>
  orderOf({ ...opened.job, ...pace }, target.identity, [target.identity], opened.job.cursor.epoch, now);
