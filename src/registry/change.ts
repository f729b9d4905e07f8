import type { Change } from "../platform/store/registry.ts";
import type { Ports } from "../ports.ts";
import type { Problem } from "../problem.ts";
import { rfc3339 } from "../request/deadline.ts";
import { fail, ok, type Result } from "../result.ts";
import { listeningOf } from "./listening.ts";
import type { Context } from "./load.ts";
import type { Tenant } from "./tenant.ts";

const TRIES = 3;

/** Changes a tenant's document by compare-and-set, and keeps who changed what and when. */
export async function change(
  ports: Ports,
  context: Context,
  about: Omit<Change, "at" | "now">,
  make: (
    tenant: Tenant,
    fresh: Context,
  ) => Promise<Result<{ readonly tenant: Tenant; readonly shown?: unknown }, Problem>>,
): Promise<Result<Tenant, Problem>> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const fresh = await ports.tenants.byNumber(context.tenant.n, 0);
    if (fresh === undefined) return fail({ reason: "not_found", what: "such tenant" });
    const made = await make(fresh.tenant, fresh);
    if (!made.ok) return made;
    const entry: Change = {
      ...about,
      at: rfc3339(ports.now()),
      ...(made.value.shown !== undefined && { now: made.value.shown }),
    };
    const listening = listeningOf(ports.integrations, made.value.tenant);
    if (await ports.store.change(context.tenant.n, fresh.version, made.value.tenant, entry, listening)) {
      await ports.tenants.byNumber(context.tenant.n, 0);
      return ok(made.value.tenant);
    }
  }
  return fail({
    reason: "conflict",
    detail: "Somebody else is changing this tenant. Read it again and repeat your change.",
  });
}
