import type { Handshake } from "../contract/challenge.ts";
import type { Proven } from "../contract/signal.ts";
import { confirmationId, confirmationPlace, sealedConfirmation } from "../lanes/confirmation.ts";
import { laneName } from "../platform/keys.ts";
import type { Ports } from "../ports.ts";
import type { Found } from "./understand.ts";

/** A longer value asks for nothing that any vendor documents. */
const MAX_VALUE = 2048;

/**
 * Where a proven delivery asks to be called back, puts that into the subprocessor's lane, sealed: once, however often it is
 * asked for the same. Durable when this resolves.
 */
export async function askFor(
  ports: Ports,
  { context, subprocessor, endpoint }: Found,
  { find, withinHours }: Handshake,
  proven: Proven,
): Promise<void> {
  const value = find(proven);
  if (value === undefined || value.length > MAX_VALUE) return;
  const { tenant, keys } = context;
  const digest = await keys.derive("delivery", `confirm\n${subprocessor.id}/${endpoint}\n${value}`);
  const order = confirmationId(endpoint, digest);
  const { key, wrapped } = await keys.newKey(confirmationPlace(subprocessor.id, order));
  const sealed = await key.seal(confirmationPlace(subprocessor.id, order), value);
  const now = ports.now();
  const deadline = now + withinHours * 3_600_000;
  const payload = sealedConfirmation({ deadline, key: wrapped, sealed });
  const woken = await ports.store.askFor(tenant.n, subprocessor.id, { order, payload, deadline }, now);
  ports.log("confirmation_asked", { tenant: tenant.slug, subprocessor: subprocessor.id, endpoint });
  if (woken) await ports.wake([laneName(tenant.n, subprocessor.id)]);
}
