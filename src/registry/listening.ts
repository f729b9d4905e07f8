import type { Listening } from "../platform/store/registry.ts";
import type { Integrations } from "../request/plan.ts";
import type { Subprocessor } from "./subprocessor.ts";
import type { Tenant } from "./tenant.ts";

/** For which integrations' streams a tenant listens: for those of whom it has a subprocessor that is not retired. */
export const listeningOf = (integrations: Integrations, tenant: Pick<Tenant, "subprocessors" | "status">): Listening =>
  Object.fromEntries(
    [...integrations.values()]
      .filter(({ streams }) => streams !== undefined)
      .map(({ id }) => [id, listenerOf(tenant, id) !== undefined]),
  );

/**
 * The subprocessor in whose name a stream is heard. A stream tells of the whole network and not of one account, so that the
 * first is enough where a tenant has several.
 */
export const listenerOf = (
  { subprocessors, status }: Pick<Tenant, "subprocessors" | "status">,
  integration: string,
): Subprocessor | undefined =>
  status === "active"
    ? Object.values(subprocessors)
        .filter((each) => each.integration === integration && each.status === "active")
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))[0]
    : undefined;
