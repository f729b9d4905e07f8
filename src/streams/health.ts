import type { Ports } from "../ports.ts";
import { rfc3339 } from "../request/deadline.ts";
import { nameOf, streamsOf } from "./listen.ts";

/** How far behind the reading of a stream is. Anybody may see it: it is about the stream and about nobody. */
export type StreamHealth = {
  /** Since when the newest thing that was read and made durable had happened. */
  readonly behind_seconds?: number;
  readonly read_at: string;
  /** Runs that could read nothing, one after the other. */
  readonly failures: number;
  /** Messages of the last run that could not be read. */
  readonly unreadable: number;
  /** The last time that more was missed than the stream remembers. */
  readonly gap?: { readonly from: string; readonly to: string };
};

/** Of each stream that has ever been read here. */
export async function health(ports: Ports): Promise<Readonly<Record<string, StreamHealth>>> {
  const names = streamsOf(ports).map(nameOf);
  const states = await ports.store.streams(names);
  const now = ports.now();
  return Object.fromEntries(
    names.flatMap((name, index): [string, StreamHealth][] => {
      const { at, readAt, failures, counts, gap } = states[index] ?? { failures: 0, counts: {} };
      if (readAt === undefined) return [];
      return [
        [
          name,
          {
            ...(at !== undefined && { behind_seconds: Math.max(0, Math.round((now - at) / 1000)) }),
            read_at: rfc3339(readAt),
            failures,
            unreadable: counts.unreadable ?? 0,
            ...(gap !== undefined && { gap: { from: rfc3339(gap[0]), to: rfc3339(gap[1]) } }),
          },
        ],
      ];
    }),
  );
}
