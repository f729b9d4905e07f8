import { type Identity, sameIdentity } from "../contract/identity.ts";
import type { Integration } from "../contract/integration.ts";
import type { Stream, StreamEvent } from "../contract/stream.ts";
import type { TenantNumber } from "../ids.ts";
import { contentOf } from "../intake/content.ts";
import { intentOf } from "../intake/understand.ts";
import { StoreUnreachable } from "../platform/redis.ts";
import type { Ports } from "../ports.ts";
import { listenersOf } from "../registry/listening.ts";
import type { Context } from "../registry/load.ts";
import type { Subprocessor } from "../registry/subprocessor.ts";
import { type Intent, record } from "../request/record.ts";

/** A stream of an integration, under its name there. */
export type Listening<S extends Stream = Stream> = {
  readonly integration: Integration;
  readonly name: string;
  readonly stream: S;
  /** Whose own it is: nobody else hears it. */
  readonly subprocessor?: string;
};

export type Outcome = {
  /** Events that concern somebody, once for each tenant who knows them. */
  readonly known: number;
  /** Pseudonyms that were looked up: what a batch costs. */
  readonly lookups: number;
};

/** Pseudonyms looked up in one round trip: some forty bytes each, and Upstash takes ten megabytes at once. */
const MOST_LOOKUPS = 50_000;

type Entry = { readonly identity: Identity; readonly pseudonym: string };
type Roll = { readonly context: Context; readonly entries: readonly Entry[] };

/**
 * Tells each tenant that listens what concerns somebody it knows, and makes that durable before it returns. Of strangers
 * nothing is kept. One tenant's damaged registry is said, and costs no other tenant its news.
 *
 * Rejects with StoreUnreachable when not all could be made durable: then all is to be told again.
 */
export async function tell(
  ports: Ports,
  listening: Listening,
  tenants: readonly TenantNumber[],
  events: readonly StreamEvent[],
): Promise<Outcome> {
  if (events.length === 0) return { known: 0, lookups: 0 };
  const people = distinct(events.flatMap(({ knownBy }) => knownBy));
  const abreast = Math.max(1, Math.floor(MOST_LOOKUPS / Math.max(people.length, 1)));
  let known = 0;
  for (let at = 0; at < tenants.length; at += abreast)
    known += await tellSome(ports, listening, tenants.slice(at, at + abreast), people, events);
  return { known, lookups: people.length * tenants.length };
}

async function tellSome(
  ports: Ports,
  listening: Listening,
  tenants: readonly TenantNumber[],
  people: readonly Identity[],
  events: readonly StreamEvent[],
): Promise<number> {
  const unlessOthersHear = listening.subprocessor === undefined ? unlessBroken : itself;
  const rolls: Roll[] = [];
  for (const n of tenants) {
    const roll = await unlessOthersHear(ports, n, () => rollOf(ports, listening, n, people));
    if (roll !== undefined) rolls.push(roll);
  }
  const lookups = rolls.flatMap(({ context, entries }) =>
    entries.map(({ pseudonym }) => ({ n: context.tenant.n, pseudonym })),
  );
  const answers = (await ports.store.known(lookups)).values();
  let told = 0;
  for (const { context, entries } of rolls) {
    const known = entries.filter(() => answers.next().value === true).map(({ identity }) => identity);
    const concerned = events.filter(({ knownBy }) => knownBy.some((each) => isAmong(known, each)));
    if (concerned.length === 0) continue;
    await unlessOthersHear(ports, context.tenant.n, () =>
      record(
        ports,
        context,
        (current) => intentsOf(current, listening, concerned, known),
        async (current, now) => {
          const subprocessor = hearerOf(current, listening);
          if (subprocessor === undefined || !tellsContent(listening)) return undefined;
          const { integration, name } = listening;
          return contentOf(ports, current, { subprocessor, integration, endpoint: name }, concerned, now);
        },
      ),
    );
    told += concerned.length;
  }
  return told;
}

/** In whose name a tenant hears it; undefined where it does not, or not any more. */
const hearerOf = ({ tenant }: Context, { integration, stream, subprocessor }: Listening): Subprocessor | undefined =>
  listenersOf(tenant, integration.id, stream).find(({ id }) => id === (subprocessor ?? id));

/** Whoever is told erases copies, which cannot be taken back: what nobody vouches for is only noted. */
const tellsContent = ({ stream }: Listening): boolean => stream.confirm === undefined;

async function rollOf(
  ports: Ports,
  listening: Listening,
  n: TenantNumber,
  people: readonly Identity[],
): Promise<Roll | undefined> {
  const context = await ports.tenants.byNumber(n);
  if (context === undefined || hearerOf(context, listening) === undefined) return undefined;
  const entries = await Promise.all(
    people.map(async (identity) => ({ identity, pseudonym: await context.keys.pseudonym("index", identity) })),
  );
  return { context, entries };
}

function intentsOf(
  context: Context,
  listening: Listening,
  events: readonly StreamEvent[],
  known: readonly Identity[],
): Intent[] {
  const subprocessor = hearerOf(context, listening);
  if (subprocessor === undefined) return [];
  const { integration, name, stream } = listening;
  const place = { subprocessor, integration, endpoint: name, hook: stream };
  return events.flatMap(({ id, signals, knownBy }) =>
    signals.flatMap((signal, index): Intent[] => {
      // It is no exercise of a right, and goes its own way.
      if (signal.type === "content_deleted" && tellsContent(listening)) return [];
      const intent = intentOf(context, place, signal, `${id}#${index}`);
      // The same id under a shared type: people are linked by either.
      const others = knownBy.filter(
        (each) => each.value === signal.identity.value && each.type !== signal.identity.type && isAmong(known, each),
      );
      return [{ ...intent, identities: [...intent.identities, ...others] }];
    }),
  );
}

/** The store's absence is everybody's; anything else is this tenant's own. */
export async function unlessBroken<T>(
  ports: Pick<Ports, "log">,
  n: TenantNumber,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreUnreachable) throw error;
    ports.log("stream_tenant_failed", { tenant: n, error: error instanceof Error ? error.name : "unknown" });
    return undefined;
  }
}

/** A tenant's own stream costs nobody else anything: what could not be recorded of it is read again. */
const itself: typeof unlessBroken = (_ports, _n, work) => work();

const isAmong = (all: readonly Identity[], one: Identity): boolean => all.some((each) => sameIdentity(each, one));

const distinct = (identities: readonly Identity[]): readonly Identity[] => [
  ...new Map(identities.map((identity) => [`${identity.type}\u0000${identity.value}`, identity])).values(),
];
