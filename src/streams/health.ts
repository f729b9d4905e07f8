import type { OwnStream } from "../contract/stream.ts";
import type { StreamState } from "../platform/store/streams.ts";
import type { Ports } from "../ports.ts";
import { rfc3339 } from "../request/deadline.ts";
import { nameOf, streamsOf } from "./listen.ts";
import type { Listening } from "./tell.ts";
import { partsOf } from "./visit.ts";

/** How far behind the reading of a stream is. Anybody may see it: it is about the stream and about nobody, no tenant either. */
export type StreamHealth = {
  /** Since when the newest thing that was read and made durable had happened. */
  readonly behind_seconds?: number;
  readonly read_at: string;
  /** Runs that could read nothing, one after the other. */
  readonly failures: number;
  /** Why, where it is known. */
  readonly reasons?: readonly string[];
  /** Messages of the last run that could not be read. */
  readonly unreadable: number;
  /** The last time that more was missed than the stream remembers. */
  readonly gap?: { readonly from: string; readonly to: string };
};

/** Of each stream that has ever been read here. Of those that are tenants' own, the worst of all their parts. */
export async function health(ports: Ports): Promise<Readonly<Record<string, StreamHealth>>> {
  const { everybody, own } = streamsOf(ports);
  const all = await Promise.all([
    statesOf(
      ports,
      everybody.map((listening) => ({ stream: nameOf(listening), name: nameOf(listening) })),
    ),
    ownOf(ports, own),
  ]);
  const byStream = Map.groupBy(all.flat(), ({ stream }) => stream);
  return Object.fromEntries(
    [...byStream].flatMap(([stream, parts]): [string, StreamHealth][] => {
      const worst = worstOf(
        parts.map(({ state }) => state),
        ports.now(),
      );
      return worst === undefined ? [] : [[stream, worst]];
    }),
  );
}

type Named = { readonly stream: string; readonly name: string };

async function ownOf(ports: Ports, streams: readonly Listening<OwnStream>[]) {
  if (streams.length === 0) return [];
  const tenants = await ports.store.listening([...new Set(streams.map(({ integration }) => integration.id))]);
  const parts = await partsOf(ports, streams, tenants);
  return statesOf(
    ports,
    parts.map(({ listening, name }) => ({ stream: nameOf(listening), name })),
  );
}

async function statesOf(ports: Ports, named: readonly Named[]) {
  if (named.length === 0) return [];
  const states = await ports.store.streams(named.map(({ name }) => name));
  return states.map((state, at) => ({ stream: named[at]?.stream ?? "", state }));
}

function worstOf(states: readonly StreamState[], now: number): StreamHealth | undefined {
  const readAt = states.flatMap((state) => state.readAt ?? []);
  if (readAt.length === 0) return undefined;
  const at = states.flatMap((state) => state.at ?? []);
  const reasons = [...new Set(states.flatMap(({ reason }) => reason ?? []))];
  const [gap] = states.flatMap((state) => (state.gap === undefined ? [] : [state.gap])).toSorted((a, b) => b[1] - a[1]);
  return {
    ...(at.length > 0 && { behind_seconds: Math.max(0, Math.round((now - Math.min(...at)) / 1000)) }),
    read_at: rfc3339(Math.min(...readAt)),
    failures: Math.max(...states.map(({ failures }) => failures)),
    ...(reasons.length > 0 && { reasons }),
    unreadable: states.reduce((sum, { counts }) => sum + (counts.unreadable ?? 0), 0),
    ...(gap !== undefined && { gap: { from: rfc3339(gap[0]), to: rfc3339(gap[1]) } }),
  };
}
