import type { Integration } from "../contract/integration.ts";
import type { Signal, VendorEvent } from "../contract/signal.ts";
import type { Instant } from "../ids.ts";
import { chunkText, contentPlace, MOST_ITEMS, takers } from "../lanes/content.ts";
import type { Chunk, NewContent } from "../platform/store/new-content.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";

/** Which hook of which subprocessor told it. */
type Source = {
  readonly subprocessor: { readonly id: string };
  readonly integration: Integration;
  readonly endpoint: string;
};

type Item = { readonly event: string; readonly signal: Signal };

/**
 * The deleted content that a delivery tells, sealed for each of those who are to be told, under a key that goes with it.
 * The policy may say that a source's is only counted. A hook speaks only for what is of its own kinds, unless the policy
 * widens that; the subprocessor that tells it knows it already.
 */
export async function contentOf(
  ports: Pick<Ports, "integrations">,
  context: Context,
  { subprocessor, integration, endpoint }: Source,
  events: readonly VendorEvent[],
  now: Instant,
): Promise<NewContent | undefined> {
  const { tenant, keys } = context;
  const source = `${subprocessor.id}/${endpoint}`;
  const all = events.flatMap(({ id, signals }) =>
    signals.flatMap((signal, index): Item[] =>
      signal.type === "content_deleted" ? [{ event: `${id}#${index}`, signal }] : [],
    ),
  );
  if (all.length === 0) return undefined;
  const widened = new Set(tenant.policy.widen[source] ?? []);
  const mayName = (type: string) => Object.hasOwn(integration.identities, type) || widened.has(type);
  const told = all.filter(({ signal }) => mayName(signal.identity.type));
  const isTold = tenant.policy.authority[source]?.content_deleted !== "record" && told.length > 0;
  const whom = isTold ? takers(ports, context, now).filter((id) => id !== subprocessor.id) : [];

  const delivery = await idOf(context, source, all);
  const cut = whom.length === 0 ? [] : slices(told);
  const texts = await Promise.all(
    cut.map(async (items) => ({
      id: await idOf(context, source, items),
      items: items.length,
      text: chunkText(
        source,
        items.map(({ signal: { identity, at } }) => ({ type: identity.type, id: identity.value, at })),
      ),
    })),
  );
  const sealedFor = (each: string): Promise<readonly Chunk[]> =>
    Promise.all(
      texts.map(async ({ id, items, text }) => {
        const place = contentPlace(each, id);
        const { key, wrapped } = await keys.newKey(place);
        return { id, items, wrapped, sealed: await key.seal(place, text) };
      }),
    );
  return {
    n: tenant.n,
    version: context.version,
    now,
    source,
    delivery,
    items: all.length,
    told: await Promise.all(whom.map(async (each) => ({ subprocessor: each, chunks: await sealedFor(each) }))),
  };
}

/** The same events of the same source have the same id, so that what a vendor repeats is known while it waits. */
async function idOf({ keys }: Context, source: string, items: readonly Item[]): Promise<string> {
  const text = `content\n${source}\n${items.map(({ event }) => event).join("\n")}`;
  // Half of it, 130 bits, is enough: there is one for each post where a vendor tells of each by itself.
  return `c${(await keys.derive("delivery", text)).slice(0, 26)}`;
}

const slices = (items: readonly Item[]): readonly (readonly Item[])[] =>
  Array.from({ length: Math.ceil(items.length / MOST_ITEMS) }, (_, at) =>
    items.slice(at * MOST_ITEMS, (at + 1) * MOST_ITEMS),
  );
