import { parseLane } from "../platform/keys.ts";
import { StoreUnreachable } from "../platform/redis.ts";
import type { Ports } from "../ports.ts";
import { run } from "./run.ts";

/** One invocation works for at most this long, well inside the platform's 15 minutes. */
export const DRAIN_MS = 120_000;

/** Lanes of one tenant that are worked at the same time, so that its hanging endpoints hold up nobody else. */
const LANES_A_TENANT = 3;
const LANES_AT_ONCE = 6;

/**
 * Works the lanes that a message names, and those that their work wakes, until nothing is due or the time is up. What is
 * left is woken again by a message.
 */
export async function drain(ports: Ports, lanes: readonly string[]): Promise<void> {
  const until = ports.now() + DRAIN_MS;
  const waiting = new Set(lanes);
  const left = new Set<string>();
  const running = new Map<string, Promise<void>>();

  const begin = (lane: string): void => {
    waiting.delete(lane);
    const work = run(ports, lane, until)
      .then(({ ended, woken }) => {
        for (const each of woken) waiting.add(each);
        if (ended === "time") left.add(lane);
      })
      .catch((error: unknown) => {
        // Orders are under lease and come back by themselves; the other lanes of this invocation go on.
        if (!(error instanceof StoreUnreachable))
          ports.log("run_failed", { lane, error: error instanceof Error ? error.name : "unknown" });
        else ports.log("store_unreachable", { what: error.message });
      })
      .finally(() => running.delete(lane));
    running.set(lane, work);
  };

  while (waiting.size > 0 || running.size > 0) {
    if (ports.now() >= until) break;
    for (const lane of waiting) {
      const { n } = parseLane(lane);
      const ofTenant = [...running.keys()].filter((each) => parseLane(each).n === n).length;
      if (running.size < LANES_AT_ONCE && ofTenant < LANES_A_TENANT && !running.has(lane)) begin(lane);
    }
    if (running.size > 0) await Promise.race(running.values());
  }
  await Promise.all(running.values());
  const rest = [...waiting, ...left];
  if (rest.length > 0) await ports.wake(rest);
}
