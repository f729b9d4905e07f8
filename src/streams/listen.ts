import type { StreamEvent } from "../contract/stream.ts";
import type { Instant, TenantNumber } from "../ids.ts";
import { newToken } from "../lanes/lane.ts";
import { streamName } from "../platform/keys.ts";
import { StoreUnreachable } from "../platform/redis.ts";
import type { Place } from "../platform/store/streams.ts";
import type { Ended, Heard, Ports } from "../ports.ts";
import { type Listening, tell } from "./tell.ts";

/** One run reads for most of a minute; the next one begins with the next cron trigger. */
export const READ_MS = 50_000;

/** Longer than a run with all that it waits for, so that nobody else reads meanwhile; renewed with each batch. */
const LEASE_MS = 120_000;

/** What was read is made durable so often, or when so much of it has come. */
const BATCH_MS = 5_000;
const BATCH = 500;

/** A connection on which nothing comes for so long is taken to be dead. */
const QUIET_MS = 20_000;

/** Of 30 seconds of CPU that a run has: some microseconds a message, some tens of them a pseudonym. The rest comes later. */
const MOST_MESSAGES = 200_000;
const MOST_LOOKUPS = 250_000;

/** Connections that one run tries, with a wait between them that doubles. */
const MOST_TRIES = 6;
const FIRST_WAIT_MS = 1_000;

/** A run in which nothing could be read makes the stream rest, so long at most. */
const LONGEST_REST_MS = 900_000;

/** A stream whose clock is further ahead is not believed: it would take our cursor past what has not happened yet. */
const AHEAD_MS = 300_000;

/** An operator is told when we are further behind than this. */
const BEHIND_MS = 900_000;

/** Reads all public streams to which some tenant listens, each with one reader over all invocations. */
export async function listen(ports: Ports): Promise<void> {
  await Promise.all(
    streamsOf(ports).map(async (listening) => {
      try {
        await read(ports, listening);
      } catch (error) {
        // What was read and not noted is read again; other streams go on.
        const what =
          error instanceof StoreUnreachable ? error.message : error instanceof Error ? error.name : "unknown";
        ports.log("stream_failed", { stream: nameOf(listening), what });
      }
    }),
  );
}

export const streamsOf = ({ integrations }: Pick<Ports, "integrations">): readonly Listening[] =>
  [...integrations.values()].flatMap((integration) =>
    Object.entries(integration.streams ?? {}).map(([name, stream]) => ({ integration, name, stream })),
  );

export const nameOf = ({ integration, name }: Listening): string => streamName(integration.id, name);

type Run = {
  readonly listening: Listening;
  readonly tenants: readonly TenantNumber[];
  readonly reader: string;
  readonly until: Instant;
  readonly counts: Record<string, number>;
  /** How far is durable. */
  place: Place;
  messages: number;
  lookups: number;
};

async function read(ports: Ports, listening: Listening): Promise<void> {
  const { integration, stream } = listening;
  const name = nameOf(listening);
  const tenants = await ports.store.listening(integration.id);
  if (tenants.length === 0) return;
  const begun = ports.now();
  const reader = newToken(ports);
  const taken = await ports.store.takeStream(name, reader, begun, begun + LEASE_MS);
  if (taken.result !== "taken") return;
  // Nothing before is asked for: whoever listens from now on hears what happens from now on.
  const place = taken.place ?? { cursor: stream.begin(begun), at: begun, origin: stream.origins[0] };
  const until = begun + READ_MS;
  const run: Run = { listening, tenants, reader, until, counts: {}, place, messages: 0, lookups: 0 };
  const lookback = stream.lookbackHours * 3_600_000;
  if (begun - place.at > lookback) await tellGap(ports, run, place.at, begun - lookback);

  const ended = await connections(ports, run);
  if (ended === "lost") return;
  const now = ports.now();
  const isFailure = run.messages === 0 && ended === "broken";
  const failures = isFailure ? taken.failures + 1 : 0;
  await ports.store.advanceStream(name, reader, {
    now,
    place: run.place,
    failures,
    restUntil: isFailure ? now + Math.min(30_000 * 2 ** failures, LONGEST_REST_MS) : 0,
    counts: run.counts,
  });
  const behind = now - run.place.at;
  const seconds = { behind_seconds: Math.round(behind / 1000), seconds: Math.round((now - begun) / 1000) };
  ports.log("stream_read", { stream: name, ended, failures, ...seconds, ...run.counts });
  if (behind > BEHIND_MS) ports.log("stream_behind", { stream: name, behind_seconds: seconds.behind_seconds });
}

/** What lies before the stream's memory can never be read: an operator has to know, and it stays to be seen. */
async function tellGap(ports: Ports, { listening, reader }: Run, from: Instant, to: Instant): Promise<void> {
  const now = ports.now();
  await ports.store.advanceStream(nameOf(listening), reader, { now, leaseUntil: now + LEASE_MS, gap: [from, to] });
  ports.log("stream_gap", {
    stream: nameOf(listening),
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
  });
}

/** Connects, reads, and connects again elsewhere, until the time is up or the stream has ended. */
async function connections(ports: Ports, run: Run): Promise<"time" | "done" | "broken" | "lost"> {
  const { origins, rewindSeconds, rewind, address } = run.listening.stream;
  let at = Math.max(origins.indexOf(run.place.origin), 0);
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    await ports.sleep(tries === 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), run.until - ports.now()));
    if (ports.now() >= run.until) return "time";
    const origin = origins[at % origins.length] ?? origins[0];
    const { place } = run;
    const back = place.origin === origin ? rewindSeconds.same : rewindSeconds.other;
    const heard = await ports.listen(address(origin, rewind(place.cursor, back)));
    if (!heard.ok) {
      ports.log("stream_unreachable", { stream: nameOf(run.listening), origin, reason: heard.problem.reason });
      at++;
      continue;
    }
    try {
      const ended = await messages(ports, run, origin, heard.value);
      if (ended === "time" || ended === "done" || ended === "lost") return ended;
      // What came too fast comes from the same place again, after what there was.
      if (ended === "broken") at++;
    } finally {
      heard.value.close();
    }
  }
  return "broken";
}

/** Reads one connection, a batch after the other: each is durable before its cursor is. */
async function messages(ports: Ports, run: Run, origin: string, heard: Heard): Promise<Ended | "time" | "lost"> {
  let events: StreamEvent[] = [];
  let place: Place | undefined;
  let batchAt = ports.now() + BATCH_MS;
  const settle = async (): Promise<boolean> => {
    batchAt = ports.now() + BATCH_MS;
    if (place === undefined) return true;
    const { known, lookups } = await tell(ports, run.listening, run.tenants, events);
    run.lookups += lookups;
    count(run.counts, "known", known);
    const now = ports.now();
    // The overlap with what was read before does not put the cursor back.
    if (place.at >= run.place.at || place.origin !== run.place.origin) run.place = place;
    events = [];
    return ports.store.advanceStream(nameOf(run.listening), run.reader, {
      now,
      leaseUntil: now + LEASE_MS,
      place: run.place,
      counts: run.counts,
    });
  };

  let quietAt = ports.now() + QUIET_MS;
  for (;;) {
    const now = ports.now();
    if (now >= run.until || run.messages >= MOST_MESSAGES || run.lookups >= MOST_LOOKUPS)
      return (await settle()) ? "time" : "lost";
    const some = await heard.next(Math.max(0, Math.min(run.until, quietAt, batchAt) - now));
    if (typeof some === "string") return (await settle()) ? some : "lost";
    if (some.length > 0) quietAt = ports.now() + QUIET_MS;
    else if (ports.now() >= quietAt) return (await settle()) ? "broken" : "lost";
    for (const message of some) {
      run.messages++;
      count(run.counts, "messages");
      const told = run.listening.stream.read(message);
      if (!told.ok || told.value.at > ports.now() + AHEAD_MS) {
        if (run.counts.unreadable === undefined)
          ports.log("stream_unreadable", { stream: nameOf(run.listening), at: told.ok ? "time" : told.problem.at });
        count(run.counts, "unreadable");
        continue;
      }
      const { cursor, at, events: news } = told.value;
      place = { cursor, at, origin };
      for (const event of news) {
        count(run.counts, run.listening.stream.events.includes(event.name) ? event.name : "other");
        if (event.signals.length > 0) events.push(event);
      }
      if (events.length >= BATCH && !(await settle())) return "lost";
    }
    if (ports.now() >= batchAt && !(await settle())) return "lost";
  }
}

function count(counts: Record<string, number>, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by;
}
