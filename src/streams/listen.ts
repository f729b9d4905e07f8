import type { OwnStream, PublicStream } from "../contract/stream.ts";
import type { TenantNumber } from "../ids.ts";
import { newToken } from "../lanes/lane.ts";
import { streamName } from "../platform/keys.ts";
import type { Ports } from "../ports.ts";
import { LEASE_MS, letGo, type Manner, type Run, read, tellGap, unlessFailed } from "./read.ts";
import type { Listening } from "./tell.ts";
import { visitAll } from "./visit.ts";

/** One run reads for most of a minute; the next one begins with the next cron trigger. */
export const READ_MS = 50_000;

/** Of 30 seconds of CPU that a run has: some microseconds a message, some tens of them a pseudonym. The rest comes later. */
const MOST_MESSAGES = 200_000;
const MOST_LOOKUPS = 250_000;

/** Connections that one run tries, with a wait between them that doubles. */
const MOST_TRIES = 6;
const FIRST_WAIT_MS = 1_000;

/** Somebody always has something to tell, and what came last is where we are. */
const HELD: Manner = {
  quietMs: 20_000,
  batch: 500,
  placeOf: (batch) => batch.at(-1) ?? batch[0],
  isCaughtUp: () => false,
};

/** Reads all streams to which some tenant listens, each with one reader over all invocations. */
export const listen = (ports: Ports): Promise<void> =>
  unlessFailed(ports, "all", async () => {
    const { everybody, own } = streamsOf(ports);
    const ids = new Set([...everybody, ...own].map(({ integration }) => integration.id));
    const until = ports.now() + READ_MS;
    const tenants = await ports.store.listening([...ids]);
    await Promise.all([
      ...everybody.map((listening) =>
        unlessFailed(ports, nameOf(listening), () =>
          hold(ports, listening, tenants.get(listening.integration.id) ?? [], until),
        ),
      ),
      unlessFailed(ports, "own", () => visitAll(ports, own, tenants, until)),
    ]);
  });

/** The streams of all integrations: those that tell everybody, and those that tell each tenant by itself. */
export function streamsOf({ integrations }: Pick<Ports, "integrations">): {
  readonly everybody: readonly Listening<PublicStream>[];
  readonly own: readonly Listening<OwnStream>[];
} {
  const everybody: Listening<PublicStream>[] = [];
  const own: Listening<OwnStream>[] = [];
  for (const integration of integrations.values())
    for (const [name, stream] of Object.entries(integration.streams ?? {}))
      if (stream.reach === "everybody") everybody.push({ integration, name, stream });
      else own.push({ integration, name, stream });
  return { everybody, own };
}

export const nameOf = ({ integration, name }: Listening): string => streamName(integration.id, name);

async function hold(
  ports: Ports,
  listening: Listening<PublicStream>,
  tenants: readonly TenantNumber[],
  until: number,
): Promise<void> {
  if (tenants.length === 0) return;
  const { stream } = listening;
  const name = nameOf(listening);
  const begun = ports.now();
  const reader = newToken(ports);
  const taken = await ports.store.takeStream(name, reader, begun, begun + LEASE_MS);
  if (taken.result !== "taken") return;
  // Nothing before is asked for: whoever listens from now on hears what happens from now on.
  const place = taken.place ?? { cursor: stream.begin(begun), at: begun, origin: stream.origins[0] };
  const budget = { messages: MOST_MESSAGES, lookups: MOST_LOOKUPS };
  const run: Run = { listening, name, tenants, reader, until, counts: {}, budget, place };
  const lookback = stream.lookbackHours * 3_600_000;
  if (begun - place.at > lookback) await tellGap(ports, run, place.at, begun - lookback);

  const ended = await connections(ports, run, stream);
  if (ended === "lost") return;
  const isFailure = run.counts.messages === undefined && ended === "broken";
  await letGo(ports, run, { begun, ended, failures: isFailure ? taken.failures + 1 : 0 });
}

/** Connects, reads, and connects again elsewhere, until the time is up or the stream has ended. */
async function connections(
  ports: Ports,
  run: Run,
  { origins, rewindSeconds, rewind, address }: PublicStream,
): Promise<"time" | "done" | "broken" | "lost"> {
  let at = Math.max(origins.indexOf(run.place.origin), 0);
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    await ports.sleep(tries === 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), run.until - ports.now()));
    if (ports.now() >= run.until) return "time";
    const origin = origins[at % origins.length] ?? origins[0];
    const { place } = run;
    const back = place.origin === origin ? rewindSeconds.same : rewindSeconds.other;
    const heard = await ports.listen(address(origin, rewind(place.cursor, back)));
    if (!heard.ok) {
      ports.log("stream_unreachable", { stream: run.name, origin, reason: heard.problem.reason });
      at++;
      continue;
    }
    try {
      const ended = await read(ports, run, origin, heard.value, HELD);
      if (ended === "time" || ended === "done" || ended === "lost") return ended;
      // What came too fast comes from the same place again, after what there was.
      if (ended === "broken") at++;
    } finally {
      heard.value.close();
    }
  }
  return "broken";
}
