import type { ContentItem } from "../contract/integration.ts";
import type { Instant } from "../ids.ts";
import { CONTENT_DEADLINE_MS, CONTENT_ORDER } from "../platform/scripts/content.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { rfc3339 } from "../request/deadline.ts";

/** Items of one call, and of one chunk, so that each chunk fits into a call. */
export const MOST_ITEMS = 1000;

export const isContent = (order: { readonly id: string } | undefined): boolean => order?.id === CONTENT_ORDER;

/** By when an order for content that has waited `since` then counts as urgent among a lane's others. */
export const contentDeadline = (since: Instant): Instant => since + CONTENT_DEADLINE_MS;

/** What a chunk holds, sealed: items of one source, by type, each as its id and how long after `from` it was deleted. */
type ChunkText = {
  readonly source: string;
  readonly from: Instant;
  readonly kinds: readonly (readonly [type: string, items: readonly (readonly [id: string, afterMs: number])[]])[];
};

type Deleted = { readonly type: string; readonly id: string; readonly at: Instant };

/** As short as it can be said: what waits for a system that is down is many of these. */
export function chunkText(source: string, items: readonly Deleted[]): string {
  const from = items[0]?.at ?? 0;
  const kinds = [...Map.groupBy(items, ({ type }) => type)].map(
    ([type, each]) => [type, each.map(({ id, at }) => [id, at - from] as const)] as const,
  );
  return JSON.stringify({ source, from, kinds } satisfies ChunkText);
}

export function itemsOf(text: string): readonly ContentItem[] {
  // Sealed by intake and by nobody else, as the seal itself proves.
  const { source, from, kinds } = JSON.parse(text) as ChunkText;
  return kinds.flatMap(([type, items]) =>
    items.map(([id, afterMs]) => ({ type, id, source, deletedAt: rfc3339(from + afterMs) })),
  );
}

export const contentPlace = (subprocessor: string, chunk: string): string => `content ${subprocessor} ${chunk}`;

/**
 * The subprocessors that are told of deleted content. One whose time is over (`valid_to`) may still hold copies and is told
 * as long as it is `active`; a retired one is told only what was put in for it before; one that is yet to come holds nothing.
 */
export const takers = (
  ports: Pick<Ports, "integrations">,
  { tenant }: Pick<Context, "tenant">,
  now: Instant,
): readonly string[] =>
  Object.values(tenant.subprocessors)
    .filter(
      ({ integration, status, validFrom }) =>
        status === "active" &&
        Date.parse(validFrom) <= now &&
        ports.integrations.get(integration)?.content !== undefined,
    )
    .map(({ id }) => id);
