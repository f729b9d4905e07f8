import type { Tenant } from "../registry/tenant.ts";
import type { Integrations } from "../request/plan.ts";

/** The names by which a person knows those that had to do with a request. */
export type Names = {
  /** The tenant: the company that the person asked. */
  readonly controller: string;
  readonly holder: (holder: { readonly subprocessor: string; readonly integration?: string }) => string;
};

/** The registry's display name, else the integration's name, else the registry id: an entry may be gone by now. */
export const namesOf = (tenant: Pick<Tenant, "name" | "subprocessors">, integrations: Integrations): Names => ({
  controller: tenant.name,
  holder: ({ subprocessor, integration }) => {
    const entry = tenant.subprocessors[subprocessor];
    const vendor = integration ?? entry?.integration ?? subprocessor;
    return entry?.facts.display_name ?? integrations.get(vendor)?.name ?? subprocessor;
  },
});
