import type { Stream } from "../contract/stream.ts";
import type { Listening } from "../platform/store/registry.ts";
import type { Integrations } from "../request/plan.ts";
import { isFilledIn, type Subprocessor } from "./subprocessor.ts";
import type { Tenant } from "./tenant.ts";

type Registry = Pick<Tenant, "subprocessors" | "status">;

/**
 * For which integrations' streams a tenant listens: for those of whom it has a subprocessor that is not retired, and which has
 * the credential where the stream is its own.
 */
export const listeningOf = (integrations: Integrations, tenant: Registry): Listening =>
  Object.fromEntries(
    [...integrations.values()].flatMap(({ id, streams }) =>
      streams === undefined
        ? []
        : [[id, Object.values(streams).some((stream) => listenersOf(tenant, id, stream).length > 0)]],
    ),
  );

/**
 * The subprocessors in whose names a stream is heard, in the order of their ids. A public stream tells of the whole network and
 * not of one account, so that the first is enough where a tenant has several; its own each hears by itself.
 */
export function listenersOf(
  { subprocessors, status }: Registry,
  integration: string,
  stream: Stream,
): readonly Subprocessor[] {
  if (status !== "active") return [];
  const all = Object.values(subprocessors)
    .filter((each) => each.integration === integration && each.status === "active")
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return stream.reach === "everybody" ? all.slice(0, 1) : all.filter((each) => isFilledIn(each)(stream.bearer));
}
