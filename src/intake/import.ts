import type { Identity } from "../contract/identity.ts";
import { normalise } from "../contract/identity.ts";
import type { Authority, Hook, Integration, List } from "../contract/integration.ts";
import { isAbsent } from "../contract/integration.ts";
import type { SignalType, VendorEvent } from "../contract/signal.ts";
import type { Instant } from "../ids.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import type { Subprocessor } from "../registry/subprocessor.ts";
import { type Entry, record } from "../request/record.ts";
import { contentOf } from "./content.ts";
import { countIgnored, intentsOf, type Teller } from "./understand.ts";

/** What a list is called where a hook has its endpoint: the policy says under `<subprocessor>/import` what it may cause. */
export const IMPORT = "import";

/** A list of ids that a vendor offers, all with the same meaning. */
export type SignalList = {
  readonly type: SignalType;
  /** The caller's own name of the list: the same id in the same list is the same delivery. */
  readonly reference: string;
  readonly ids: readonly (Identity & { readonly at: Instant })[];
};

/**
 * Makes durable what each id of a list causes, as the vendor's own hook would have: all of them or none, in as many round
 * trips as for one. The answers come in the order of the ids; deleted content opens no request, and has none.
 */
export const importSignals = (
  ports: Ports,
  context: Context,
  subprocessor: Subprocessor,
  integration: Integration,
  list: SignalList,
): Promise<readonly Entry[]> => {
  const teller: Teller = { subprocessor, integration, endpoint: IMPORT, hook: hookFor(integration, list.type) };
  const events = list.ids.map((id) => eventOf(list, id));
  return record(
    ports,
    context,
    (current) => intentsOf(current, teller, events),
    (current, now) => contentOf(ports, current, teller, events, now),
  );
};

/** A list whose lines say themselves what each means, under its name there. */
export type Download = { readonly name: string; readonly list: List };

/**
 * Makes durable what the lines of a vendor's own file cause, under the name of that file: all of them or none, in as many
 * round trips as for one. What causes nothing is counted.
 */
export const importEvents = (
  ports: Ports,
  context: Context,
  subprocessor: Subprocessor,
  integration: Integration,
  { name, list }: Download,
  events: readonly VendorEvent[],
): Promise<readonly Entry[]> => {
  const teller: Teller = { subprocessor, integration, endpoint: name, hook: list };
  countIgnored(ports, context, teller, events);
  const telling = events.filter(({ signals }) => signals.length > 0);
  return telling.length === 0
    ? Promise.resolve([])
    : record(
        ports,
        context,
        (current) => intentsOf(current, teller, telling),
        (current, now) => contentOf(ports, current, teller, telling, now),
      );
};

/** The identity types that a list of this subprocessor may name. */
export const namedBy = ({ policy }: Context["tenant"], { id }: Subprocessor, integration: Integration) => [
  ...new Set([...Object.keys(integration.identities), ...(policy.widen[`${id}/${IMPORT}`] ?? [])]),
];

function eventOf({ type, reference }: SignalList, { at, ...identity }: SignalList["ids"][number]): VendorEvent {
  const { value } = normalise(identity);
  // A list of the deleted and one of the restored may bear the same name.
  const id = [type, reference, identity.type, value].join("\u0000");
  return { id, name: type, signals: [{ type, identity, at }] };
}

const STRICTEST_FIRST = ["record", "here", "everywhere"] as const satisfies readonly Authority[];

/** Nobody has signed the list, so where hooks differ it may do what the strictest of them may, and is due as the soonest. */
function hookFor({ hooks }: Integration, type: SignalType): Pick<Hook, "authority" | "deadlines"> {
  const all = isAbsent(hooks) ? [] : Object.values(hooks);
  const stated = all.flatMap(({ authority }) => authority[type] ?? []);
  const [soonest] = all.flatMap(({ deadlines }) => deadlines?.[type] ?? []).sort((a, b) => a.hours - b.hours);
  return {
    authority: { [type]: STRICTEST_FIRST.find((each) => stated.includes(each)) ?? "record" },
    ...(soonest !== undefined && { deadlines: { [type]: soonest } }),
  };
}
