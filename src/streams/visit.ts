import type { OwnStream, Told } from "../contract/stream.ts";
import type { Instant, TenantNumber } from "../ids.ts";
import { newToken } from "../lanes/lane.ts";
import { partName } from "../platform/keys.ts";
import { ALIVE, type Ports } from "../ports.ts";
import { listenersOf } from "../registry/listening.ts";
import type { Context } from "../registry/load.ts";
import { valuesOf } from "../registry/settings.ts";
import { type Budget, LEASE_MS, letGo, type Manner, type Run, read, tellGap, unlessFailed } from "./read.ts";
import { type Listening, unlessBroken } from "./tell.ts";

/** An invocation has six connections: one is the held stream's, one the store's. */
const ABREAST = 4;

/** What all visits of one run may read together: some 5 µs a line and 7 a pseudonym, so a fifth of an invocation's 30 seconds of CPU. */
const MOST_MESSAGES = 300_000;
const MOST_LOOKUPS = 400_000;

/**
 * Older events come before newer ones, but not strictly: so many in a row have to be dated after the visit began before it is believed
 * to have heard all that was before.
 */
const LATER_IN_A_ROW = 50;

/** There is one tenant to look things up for, and an invocation may make only so many calls to the store. */
const BATCH = 5_000;

/** The other side is heard from every 20 seconds at the latest, or a moment after that. */
const QUIET_MS = 30_000;

/** With less time than this left, a part is left for the next run, which begins with it. */
const LEAST_MS = 15_000;

/** What the stream has just forgotten, or does while the way there is long, is not asked for. */
const MARGIN_MS = 60_000;

/** One part of a stream that is one subprocessor's own, under its name in the store. */
export type Part = {
  readonly listening: Listening<OwnStream> & { readonly subprocessor: string };
  readonly context: Context;
  readonly part: string;
  readonly name: string;
};

/** All parts of the streams that are tenants' own, of those who listen to them. */
export async function partsOf(
  ports: Ports,
  streams: readonly Listening<OwnStream>[],
  tenants: ReadonlyMap<string, readonly TenantNumber[]>,
): Promise<readonly Part[]> {
  const parts: Part[] = [];
  for (const { integration, name: streamed, stream } of streams)
    for (const n of tenants.get(integration.id) ?? []) {
      const context = await unlessBroken(ports, n, () => ports.tenants.byNumber(n));
      if (context === undefined) continue;
      for (const { id } of listenersOf(context.tenant, integration.id, stream))
        for (const part of stream.parts) {
          const listening = { integration, name: streamed, stream, subprocessor: id };
          parts.push({ listening, context, part, name: partName(n, id, streamed, part) });
        }
    }
  return parts;
}

/** Visits each part from where it was left, some at a time, whichever was left longest ago first, for as long as there is time. */
export async function visitAll(
  ports: Ports,
  streams: readonly Listening<OwnStream>[],
  tenants: ReadonlyMap<string, readonly TenantNumber[]>,
  until: Instant,
): Promise<void> {
  const parts = await partsOf(ports, streams, tenants);
  if (parts.length === 0) return;
  const states = await ports.store.streams(parts.map(({ name }) => name));
  const left = parts
    .map((part, at) => ({ part, readAt: states[at]?.readAt ?? 0 }))
    .toSorted((a, b) => a.readAt - b.readAt);
  const budget = { messages: MOST_MESSAGES, lookups: MOST_LOOKUPS };
  const one = async (): Promise<void> => {
    while (ports.now() < until - LEAST_MS && budget.messages > 0 && budget.lookups > 0) {
      const next = left.shift();
      if (next === undefined) return;
      await unlessFailed(ports, next.part.name, () => visit(ports, next.part, until, budget));
    }
  };
  await Promise.all(Array.from({ length: ABREAST }, one));
}

async function visit(
  ports: Ports,
  { listening, context, part, name }: Part,
  until: Instant,
  budget: Budget,
): Promise<void> {
  const { stream, subprocessor } = listening;
  const [bearer] = await valuesOf(context, subprocessor, stream.bearer);
  if (bearer === undefined) return;
  const begun = ports.now();
  const reader = newToken(ports);
  const taken = await ports.store.takeStream(name, reader, begun, begun + LEASE_MS);
  if (taken.result !== "taken") return;
  const [origin] = stream.origins;
  const placeAt = (at: Instant) => ({ cursor: String(at), at, origin });
  // Nothing before is asked for: whoever listens from now on hears what happens from now on.
  const place = taken.place ?? placeAt(begun);
  const run: Run = { listening, name, tenants: [context.tenant.n], reader, until, counts: {}, budget, place };
  const oldest = begun - stream.lookbackHours * 3_600_000;
  if (place.at < oldest) await tellGap(ports, run, place.at, oldest);

  const { address, to, isReplay } = wayFrom(stream, part, place.at, begun);
  const fails = (reason: string) => letGo(ports, run, { begun, ended: "broken", failures: taken.failures + 1, reason });
  const heard = await ports.lines(address, bearer);
  if (!heard.ok) {
    const { problem } = heard;
    const reason = problem.reason === "refused" ? refusal(problem.status) : problem.reason;
    const status = problem.reason === "refused" ? { status: problem.status } : {};
    ports.log("stream_unreachable", { stream: name, origin, reason, ...status });
    return fails(reason);
  }
  try {
    const manner = visiting(begun, isReplay);
    const ended = await read(ports, run, origin, heard.value, manner);
    if (ended === "lost") return;
    const { messages = 0, unreadable = 0 } = run.counts;
    // Whatever has ended there, it was not the stream.
    if (ended === "done" && messages > 0 && unreadable === messages) return await fails("unreadable");
    const isWhole = manner.isWhole(ended);
    if (isWhole) run.place = placeAt(Math.max(to, run.place.at));
    if (!isWhole && ended !== "time" && messages === 0) return await fails("nothing_came");
    await letGo(ports, run, { begun, ended: isWhole ? "caught_up" : ended, failures: 0 });
  } finally {
    heard.value.close();
  }
}

/** As it goes on, where what was missed is told again before that; else a time that has passed, and no more of it than a visit can read. */
export function wayFrom(
  { follow, replay, overlapSeconds, lookbackHours, origins: [origin] }: OwnStream,
  part: string,
  place: Instant,
  now: Instant,
): { readonly address: string; readonly to: Instant; readonly isReplay: boolean } {
  const since = place - overlapSeconds * 1000;
  const minutes = Math.max(1, Math.ceil((now - since) / 60_000));
  if (minutes <= follow.mostMinutes)
    return { address: follow.address(origin, part, minutes), to: now, isReplay: false };
  const from = Math.max(since, now - lookbackHours * 3_600_000 + MARGIN_MS);
  const to = Math.min(from + replay.mostMinutes * 60_000, now);
  const whole = (at: Instant) => Math.floor(at / 1000) * 1000;
  return { address: replay.address(origin, part, whole(from), whole(to)), to: whole(to), isReplay: true };
}

/** Tells a refused credential, which a person has to mend, from a vendor that wants rest. */
const refusal = (status: number): string =>
  status === 401 || status === 403 ? "credential_refused" : status === 429 ? "rate_limited" : "refused";

/**
 * A visit hears all that there was when it began. That is so when enough in a row is dated later, or when the other side was there twice
 * and had nothing to tell in between; a replay says so itself, by its end. Where it stops before that, it goes on from the
 * earliest of what came last.
 */
function visiting(begun: Instant, isReplay: boolean): Manner & { readonly isWhole: (ended: string) => boolean } {
  let quiet = 0;
  let later = 0;
  let isFaulty = false;
  return {
    quietMs: QUIET_MS,
    batch: BATCH,
    placeOf: (batch) => {
      const at = batch.reduce((earliest, each) => Math.min(earliest, each.at), begun);
      return { cursor: String(at), at };
    },
    isCaughtUp: (heard: Told | typeof ALIVE) => {
      if (heard === ALIVE) quiet++;
      else {
        quiet = 0;
        if (heard.place !== undefined) later = heard.place.at >= begun ? later + 1 : 0;
        isFaulty ||= heard.events.some(({ alarm }) => alarm === true);
      }
      return !isReplay && (quiet >= 2 || later >= LATER_IN_A_ROW);
    },
    // Whoever ends because something is wrong ends as properly as one who has told all, but says so before.
    isWhole: (ended) => ended === "caught_up" || (isReplay && ended === "done" && !isFaulty),
  };
}
