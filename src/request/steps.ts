import type { RequestId } from "../ids.ts";
import type { Claimed, Settlement } from "../platform/store/lanes.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { close } from "./close.ts";
import { resume } from "./residue.ts";
import { start } from "./start.ts";
import { watch } from "./watch.ts";

/** An order of the gateway's own lane: `<step>:<request>`, or `residue:<residue>`. */
export type Step = { readonly order: Claimed; readonly subject: string };

export type Stepped = { readonly settlements: readonly Settlement[]; readonly woken: readonly string[] };

/** What a verb of the gateway's lane looks like: it takes every claimed order of its kind at once. */
export type StepVerb = (ports: Ports, context: Context, token: string, steps: readonly Step[]) => Promise<Stepped>;

const verbs: Readonly<Record<string, StepVerb>> = { start, close, watch, residue: resume };

/** Runs a batch of the gateway's own steps, each kind together, so that a kind costs the same few round trips for all. */
export async function steps(
  ports: Ports,
  context: Context,
  token: string,
  orders: readonly Claimed[],
): Promise<Stepped> {
  const kinds = Map.groupBy(orders, ({ id }) => id.slice(0, id.indexOf(":")));
  const settlements: Settlement[] = [];
  const woken: string[] = [];
  for (const [kind, group] of kinds) {
    const verb = verbs[kind];
    const batch = group.map((order) => ({ order, subject: order.id.slice(kind.length + 1) }));
    if (verb === undefined) {
      settlements.push(...batch.map(({ order }) => dropped(order)));
      continue;
    }
    const done = await verb(ports, context, token, batch);
    settlements.push(...done.settlements);
    woken.push(...done.woken);
  }
  return { settlements, woken };
}

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
