import { tenantNumber } from "../ids.ts";
import type { Ports } from "../ports.ts";
import { listeningOf } from "../registry/listening.ts";

const TENANTS_A_MINUTE = 2;

/**
 * Brings the index of who listens to which stream up to date for a slice of the tenants, a different one each minute. Each
 * change of a registry writes it in the same step; this is for what a failover lost, and for tenants older than the index.
 */
export async function enrol(ports: Ports): Promise<void> {
  if (![...ports.integrations.values()].some(({ streams }) => streams !== undefined)) return;
  const count = await ports.store.tenantCount();
  const minute = Math.floor(ports.now() / 60_000);
  for (let index = 0; index < Math.min(TENANTS_A_MINUTE, count); index++) {
    const n = tenantNumber(((minute * TENANTS_A_MINUTE + index) % count) + 1);
    const snapshot = await ports.store.snapshot(n);
    if (snapshot === undefined) continue;
    await ports.store.enrol(n, snapshot.version, listeningOf(ports.integrations, snapshot.tenant));
  }
}
