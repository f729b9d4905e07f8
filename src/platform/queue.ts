import type { Log, Wake } from "../ports.ts";

/** A message may have 128 KB; a lane's name has at most 75 bytes. */
const LANES_A_MESSAGE = 1000;

/**
 * Sends wake-ups without holding up the caller. A send that is refused or lost costs at most a minute: the sweep finds
 * lanes that are due and asleep.
 *
 * @see https://developers.cloudflare.com/queues/platform/limits/
 */
export const wakeBy =
  (queue: Queue<unknown>, execution: Pick<ExecutionContext, "waitUntil">, log: Log): Wake =>
  async (lanes) => {
    for (let at = 0; at < lanes.length; at += LANES_A_MESSAGE) {
      const sent = queue.send({ lanes: lanes.slice(at, at + LANES_A_MESSAGE) }).then(
        () => undefined,
        (error: unknown) => log("wake_refused", { error: error instanceof Error ? error.name : "unknown" }),
      );
      execution.waitUntil(sent);
    }
  };
