import type { Kept } from "../contract/outcome.ts";
import type { Claimed } from "../platform/store/lanes.ts";
import type { Opened } from "./attempt.ts";
import type { Attempt } from "./drive.ts";
import type { Target } from "./order.ts";

/** Claimed orders by the piece of work that they were joined to; most stand alone. */
export const joint = (orders: readonly Claimed[]): Claimed[][] => [
  ...Map.groupBy(orders, ({ id, joint: [first = id] }) => first).values(),
];

/**
 * Which orders of a group are really one piece of work: the same task of the same person, of the same identities, come
 * equally far. The one that was received first leads. An own system is told the request's id and answers for it, so it
 * hears of each request.
 */
export const together = (opened: readonly Opened[]): Opened[][] =>
  [...Map.groupBy(opened, likeness).values()].map((party) =>
    // Always the same one, because the calls' idempotency keys are made from its id.
    party.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)),
  );

const rank = ({ order, payload }: Opened): string => `${payload.receivedAt} ${order.id}`;

/** What an attempt came to for one of its party: what the policy keeps, it keeps until the day of each one's own request. */
export function ownAttempt(attempt: Attempt, leader: Opened, each: Opened): Attempt {
  if (each === leader) return attempt;
  const own = (kept: Kept): Kept => {
    const { category, until, ground } = kept;
    const rule = leader.payload.keeps[category];
    return rule?.until === until && rule.ground === ground
      ? { category, ...(each.payload.keeps[category] ?? rule) }
      : kept;
  };
  const targets = attempt.cursor.targets.map(
    (target): Target =>
      target.state.at === "done" && target.state.kept !== undefined
        ? { ...target, state: { ...target.state, kept: own(target.state.kept) } }
        : target,
  );
  const cursor = { ...attempt.cursor, targets };
  if (!("end" in attempt) || attempt.end.retained === undefined) return { ...attempt, cursor };
  return { ...attempt, cursor, end: { ...attempt.end, retained: attempt.end.retained.map(own) } };
}

function likeness({ order, payload, job }: Opened): string {
  if (job.action.each === "person") return order.id;
  const { targets, ...progress } = job.cursor;
  // Until when something is kept is each request's own.
  const plain = (target: Target) => JSON.stringify(target, (name, value) => (name === "until" ? undefined : value));
  const sorted = targets.map(plain).sort();
  return JSON.stringify([payload.task.id, payload.task.scope, Object.keys(payload.keeps).sort(), sorted, progress]);
}
