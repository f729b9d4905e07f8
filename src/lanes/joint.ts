import type { Claimed } from "../platform/store/lanes.ts";
import type { Opened } from "./attempt.ts";

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
    party.toSorted((a, b) => a.payload.receivedAt.localeCompare(b.payload.receivedAt)),
  );

function likeness({ order, payload, job }: Opened): string {
  if (job.action.each === "person") return order.id;
  const { targets, ...progress } = job.cursor;
  const sorted = targets.map((target) => JSON.stringify(target)).sort();
  return JSON.stringify([payload.task.id, payload.task.scope, Object.keys(payload.keeps).sort(), sorted, progress]);
}
