import type { Ports } from "../ports.ts";

/** Lanes looked at in one sweep, per shard of the index. */
const MOST_LANES = 200;

/** Finds the lanes that are due and asleep, because a message was lost or their time has come, and wakes them. */
export async function sweep(ports: Ports): Promise<number> {
  const now = ports.now();
  const due = await ports.store.dueLanes(now, MOST_LANES);
  if (due.length === 0) return 0;
  const asleep = await ports.store.sweep(due, now);
  if (asleep.length > 0) await ports.wake(asleep);
  return asleep.length;
}
