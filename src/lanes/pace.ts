import type { Ports } from "../ports.ts";

/** Each call waits for its turn, so that the account's rate is kept whatever an order asks for. */
export function turns(ports: Pick<Ports, "now" | "sleep">, perSecond = Number.POSITIVE_INFINITY): () => Promise<void> {
  const gapMs = 1000 / perSecond;
  let slot = 0;
  return async () => {
    slot = Math.max(slot + gapMs, ports.now());
    await ports.sleep(slot - ports.now());
  };
}
