import { unconfirmed } from "../connections/end.ts";
import type { Claimed, Settlement } from "../platform/store/lanes.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { close } from "./close.ts";
import { confirm } from "./confirm.ts";
import { duty } from "./duty.ts";
import { resume } from "./residue.ts";
import { start } from "./start.ts";
import { dropped, type Stepped, type StepVerb } from "./step.ts";
import { watch } from "./watch.ts";

const verbs: Readonly<Record<string, StepVerb>> = {
  start,
  confirm,
  close,
  watch,
  residue: resume,
  duty,
  connection: unconfirmed,
};

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
