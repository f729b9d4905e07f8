import { CONNECTION } from "../contract/oauth.ts";
import type { Instant } from "../ids.ts";
import type { Tenant } from "../registry/tenant.ts";
import type { Integrations, KnownIdentity } from "./plan.ts";

/**
 * By when the terms of the platforms at which a person is known want what they ask of the tenant itself to be done, own systems
 * included: their data may lie anywhere. Undefined where none sets a time. Counted from when the request starts, as the law's is.
 */
export function termsDue(
  startAt: Instant,
  known: readonly KnownIdentity[],
  { subprocessors }: Pick<Tenant, "subprocessors">,
  integrations: Integrations,
): Instant | undefined {
  const hours = Object.values(subprocessors).flatMap(({ id, integration: name }) => {
    const integration = integrations.get(name);
    if (integration?.requestDeadline === undefined) return [];
    const { identities, requestDeadline } = integration;
    const isKnown = known.some(({ type, subprocessor }) =>
      type === CONNECTION ? subprocessor === id : (subprocessor ?? id) === id && Object.hasOwn(identities, type),
    );
    return isKnown ? [requestDeadline.hours] : [];
  });
  return hours.length === 0 ? undefined : startAt + Math.min(...hours) * 3_600_000;
}
