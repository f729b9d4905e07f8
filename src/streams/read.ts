import type { StreamEvent, Told } from "../contract/stream.ts";
import type { Instant, TenantNumber } from "../ids.ts";
import { StoreUnreachable } from "../platform/redis.ts";
import type { Place } from "../platform/store/streams.ts";
import { ALIVE, type Ended, type Heard, type Ports } from "../ports.ts";
import { type Listening, tell } from "./tell.ts";

/** Longer than a run with all that it waits for, so that nobody else reads meanwhile; renewed with each batch. */
export const LEASE_MS = 120_000;

/** What was read is made durable so often. */
const BATCH_MS = 5_000;

/** A stream whose clock is further ahead is not believed: it would take our cursor past what has not happened yet. */
const AHEAD_MS = 300_000;

/** A run in which nothing could be read makes the stream rest, so long at most. */
const LONGEST_REST_MS = 900_000;

/** An operator is told when we are further behind than this. */
const BEHIND_MS = 900_000;

/** What may still be read and looked up in this invocation. */
export type Budget = { messages: number; lookups: number };

export type Run = {
  readonly listening: Listening;
  /** The stream's name in the store. */
  readonly name: string;
  readonly tenants: readonly TenantNumber[];
  readonly reader: string;
  readonly until: Instant;
  readonly counts: Record<string, number>;
  readonly budget: Budget;
  /** How far is durable. */
  place: Place;
};

export type At = NonNullable<Told["place"]>;

/** What differs between streams that are held and those that are visited. */
export type Manner = {
  /** A connection on which nothing comes for so long is taken to be dead. */
  readonly quietMs: number;
  /** What was read is also made durable when so many events of it may concern somebody. */
  readonly batch: number;
  /** Where we are after a batch, of which each message was there. */
  readonly placeOf: (batch: readonly [At, ...At[]]) => At;
  /** Whether all is heard that there is to hear; asked of each message, and of each sign that the other side is there. */
  readonly isCaughtUp: (heard: Told | typeof ALIVE) => boolean;
};

/** Reads one connection, a batch after the other: each is durable before its cursor is. `lost`: another has the stream now. */
export async function read(
  ports: Ports,
  run: Run,
  origin: string,
  heard: Heard,
  manner: Manner,
): Promise<Ended | "time" | "lost" | "caught_up"> {
  const { budget, counts, listening, name } = run;
  let events: StreamEvent[] = [];
  let places: At[] = [];
  let batchAt = ports.now() + BATCH_MS;
  const settle = async (): Promise<boolean> => {
    batchAt = ports.now() + BATCH_MS;
    const [first, ...others] = places;
    if (first === undefined && events.length === 0) return true;
    const { known, lookups } = await tell(ports, listening, run.tenants, events);
    budget.lookups -= lookups;
    count(counts, "known", known);
    const now = ports.now();
    const place = first === undefined ? run.place : { ...manner.placeOf([first, ...others]), origin };
    // The overlap with what was read before does not put the cursor back.
    if (place.at >= run.place.at || place.origin !== run.place.origin) run.place = place;
    events = [];
    places = [];
    return ports.store.advanceStream(name, run.reader, { now, leaseUntil: now + LEASE_MS, place: run.place, counts });
  };
  const after = async <W>(why: W): Promise<W | "lost"> => ((await settle()) ? why : "lost");

  let quietAt = ports.now() + manner.quietMs;
  for (;;) {
    const now = ports.now();
    if (now >= run.until || budget.messages <= 0 || budget.lookups <= 0) return after("time");
    const some = await heard.next(Math.max(0, Math.min(run.until, quietAt, batchAt) - now));
    if (typeof some === "string") return after(some);
    if (some.length > 0) quietAt = ports.now() + manner.quietMs;
    else if (ports.now() >= quietAt) return after("broken");
    let isCaughtUp = false;
    for (const message of some) {
      if (message === ALIVE) {
        isCaughtUp = manner.isCaughtUp(ALIVE) || isCaughtUp;
        continue;
      }
      budget.messages--;
      count(counts, "messages");
      const told = listening.stream.read(message);
      const place = told.ok ? told.value.place : undefined;
      if (!told.ok || (place !== undefined && place.at > ports.now() + AHEAD_MS)) {
        if (counts.unreadable === undefined)
          ports.log("stream_unreadable", { stream: name, at: told.ok ? "time" : told.problem.at });
        count(counts, "unreadable");
        continue;
      }
      if (place !== undefined) places.push(place);
      isCaughtUp = manner.isCaughtUp(told.value) || isCaughtUp;
      note(ports, run, told.value.events);
      events.push(...told.value.events.filter(({ signals }) => signals.length > 0));
      if (events.length >= manner.batch && !(await settle())) return "lost";
    }
    if (isCaughtUp) return after("caught_up");
    if (ports.now() >= batchAt && !(await settle())) return "lost";
  }
}

/** Each event is counted by its name, and an alarm of the vendor's is said. */
function note(ports: Ports, { counts, listening, name }: Run, events: readonly StreamEvent[]): void {
  for (const event of events) {
    const known = listening.stream.events.includes(event.name) ? event.name : "other";
    if (event.alarm === true && counts[known] === undefined) ports.log("stream_alarm", { stream: name, name: known });
    count(counts, known);
  }
}

/** What was read and not noted is read again; other streams go on. */
export async function unlessFailed(ports: Ports, stream: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const what = error instanceof StoreUnreachable ? error.message : error instanceof Error ? error.name : "unknown";
    ports.log("stream_failed", { stream, what });
  }
}

/** What lies before the stream's memory can never be read: an operator has to know, and it stays to be seen. */
export async function tellGap(ports: Ports, { name, reader }: Run, from: Instant, to: Instant): Promise<void> {
  const now = ports.now();
  await ports.store.advanceStream(name, reader, { now, leaseUntil: now + LEASE_MS, gap: [from, to] });
  ports.log("stream_gap", { stream: name, from: new Date(from).toISOString(), to: new Date(to).toISOString() });
}

/** Notes how a run has ended, and lets go. After one that failed, and why, the stream rests, ever longer. */
export async function letGo(
  ports: Ports,
  run: Run,
  { begun, ended, failures, reason = "" }: { begun: Instant; ended: string; failures: number; reason?: string },
): Promise<void> {
  const { name, counts, place } = run;
  const now = ports.now();
  const restUntil = failures > 0 ? now + Math.min(30_000 * 2 ** failures, LONGEST_REST_MS) : 0;
  await ports.store.advanceStream(name, run.reader, { now, place, failures, restUntil, reason, counts });
  const behind = now - place.at;
  const seconds = { behind_seconds: Math.round(behind / 1000), seconds: Math.round((now - begun) / 1000) };
  ports.log("stream_read", { stream: name, ended, failures, ...seconds, ...counts });
  if (behind > BEHIND_MS) ports.log("stream_behind", { stream: name, behind_seconds: seconds.behind_seconds });
}

function count(counts: Record<string, number>, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by;
}
