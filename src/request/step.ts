import type { RequestId } from "../ids.ts";
import { backoffMs, randomOf } from "../lanes/lane.ts";
import { StoreUnreachable } from "../platform/redis.ts";
import type { Claimed, Settlement } from "../platform/store/lanes.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";

/** An order of the gateway's own lane: `<step>:<request>`, or `residue:<residue>`. */
export type Step = { readonly order: Claimed; readonly subject: string };

export type Stepped = { readonly settlements: readonly Settlement[]; readonly woken: readonly string[] };

/** What a verb of the gateway's lane looks like: it takes every claimed order of its kind at once. */
export type StepVerb = (ports: Ports, context: Context, token: string, steps: readonly Step[]) => Promise<Stepped>;

export const dropped = (order: Claimed): Settlement => ({
  id: order.id,
  attempt: order.attempt,
  deadline: 0,
  what: "drop",
});

export const later = (order: Claimed, due: number): Settlement => ({
  id: order.id,
  attempt: order.attempt,
  deadline: due,
  what: "back",
  due,
  cursor: "",
});

/** The step's subject, where it is a request. */
export const requestOf = ({ subject }: Step): RequestId =>
  // Orders of these kinds are written with a request's id and with nothing else.
  subject as RequestId;

/**
 * Does one thing for each, apart: what fails for one, because its record is damaged, is said and comes back later, and holds
 * up nobody else of the batch.
 */
export async function apart<T extends { readonly step: Step }, R>(
  ports: Pick<Ports, "now" | "random" | "log">,
  items: readonly T[],
  make: (item: T) => Promise<R>,
): Promise<{ readonly done: readonly R[]; readonly settlements: readonly Settlement[] }> {
  const done: R[] = [];
  const settlements: Settlement[] = [];
  const results = await Promise.allSettled(items.map(make));
  results.forEach((result, index) => {
    const order = items[index]?.step.order;
    if (result.status === "fulfilled") done.push(result.value);
    else if (order !== undefined) settlements.push(failed(ports, order, result.reason));
  });
  return { done, settlements };
}

/** A step that failed: later again, ever more seldom. An unreachable store is everybody's and is not for one step to bear. */
export function failed(ports: Pick<Ports, "now" | "random" | "log">, order: Claimed, error: unknown): Settlement {
  if (error instanceof StoreUnreachable) throw error;
  ports.log("step_failed", {
    order: order.id,
    attempt: order.attempt,
    error: error instanceof Error ? error.name : "unknown",
  });
  return later(order, ports.now() + backoffMs(order.attempt, randomOf(ports)));
}
