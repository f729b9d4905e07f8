import type { Proven } from "../contract/signal.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { rfc3339 } from "../request/deadline.ts";
import { proven as prove } from "./schemes/scheme.ts";
import type { Found } from "./understand.ts";

/** What is known of a quarantined delivery without opening it. */
export type Facts = {
  readonly subprocessor: string;
  readonly endpoint: string;
  /** The place that did not fit. */
  readonly at: string;
  readonly received_at: string;
};

/** What is sealed of it: all that its reader may ask for. */
type Sealed = {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly covers: readonly string[];
  readonly receivedAt: number;
};

const CREDENTIALS: ReadonlySet<string> = new Set(["authorization", "cookie"]);

const place = (id: string): string => `delivery ${id}`;

/**
 * Keeps a delivery that its vendor has proven and that could not be understood, sealed, for somebody to look at. The same
 * delivery lands on the same id. False: nothing more is kept, and the sender has to repeat it.
 */
export async function quarantine(
  ports: Ports,
  { context, subprocessor, endpoint }: Found,
  proven: Proven,
  at: string,
  headers: Iterable<readonly [string, string]>,
): Promise<boolean> {
  const { tenant, keys } = context;
  const id = `dlv_${await keys.derive("delivery", `${subprocessor.id}/${endpoint}\n${proven.text}`)}`;
  const { key, wrapped } = await keys.newKey(place(id));
  const sealed: Sealed = {
    text: proven.text,
    headers: Object.fromEntries([...headers].filter(([name]) => !CREDENTIALS.has(name))),
    covers: proven.covers,
    receivedAt: proven.receivedAt,
  };
  const now = ports.now();
  const facts: Facts = { subprocessor: subprocessor.id, endpoint, at, received_at: rfc3339(now) };
  const kept = await ports.store.quarantine(
    tenant.n,
    id,
    { wrapped, sealed: await key.seal(place(id), JSON.stringify(sealed)), facts: JSON.stringify(facts) },
    now,
  );
  const event = kept ? "delivery_quarantined" : "quarantine_full";
  ports.log(event, { tenant: tenant.slug, subprocessor: subprocessor.id, endpoint, delivery: id, at });
  return kept;
}

/** A quarantined delivery as it was proven then. */
export async function released(
  { store }: Pick<Ports, "store">,
  { tenant: { n }, keys }: Context,
  id: string,
): Promise<{ readonly facts: Facts; readonly proven: Proven } | undefined> {
  const kept = await store.delivery(n, id);
  if (kept === undefined) return undefined;
  const key = await keys.unwrap(place(id), kept.wrapped);
  // Sealed above and by nobody else, as the seal itself proves; the facts were written with it.
  const { text, headers, covers, receivedAt } = JSON.parse(await key.open(place(id), kept.sealed)) as Sealed;
  const facts = JSON.parse(kept.facts) as Facts;
  return { facts, proven: prove(text, headerIn(headers), receivedAt, covers).value };
}

const headerIn = (headers: Readonly<Record<string, string>>) => ({
  header: (name: string) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
});
