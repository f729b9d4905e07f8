import type { RequestId } from "../ids.ts";
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
