import type { Authority, Hook, Integration } from "../contract/integration.ts";
import { isAbsent } from "../contract/integration.ts";
import type { Proven, Signal, SignalType, Unreadable, VendorEvent } from "../contract/signal.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { valuesOf } from "../registry/settings.ts";
import type { Subprocessor } from "../registry/subprocessor.ts";
import { type Entry, type Intent, record } from "../request/record.ts";
import { fail, ok, type Result } from "../result.ts";
import { contentOf } from "./content.ts";
import { heard, type UnknownState } from "./heard.ts";

/** A hook of a tenant's subprocessor, and what its settings hold. */
export type Found = {
  readonly context: Context;
  readonly subprocessor: Subprocessor;
  readonly integration: Integration;
  readonly endpoint: string;
  readonly hook: Hook;
  readonly values: (setting: string) => Promise<readonly string[]>;
};

export function find(
  { integrations }: Pick<Ports, "integrations">,
  context: Context | undefined,
  path: { readonly subprocessor: string; readonly endpoint?: string | undefined },
): Found | undefined {
  const subprocessor = context?.tenant.subprocessors[path.subprocessor];
  const integration = subprocessor === undefined ? undefined : integrations.get(subprocessor.integration);
  if (context === undefined || subprocessor === undefined || integration === undefined) return undefined;
  if (isAbsent(integration.hooks) || context.tenant.status !== "active") return undefined;
  const named = Object.entries(integration.hooks);
  const [endpoint, hook] =
    (path.endpoint === undefined && named.length === 1 ? named[0] : named.find(([name]) => name === path.endpoint)) ??
    [];
  if (endpoint === undefined || hook === undefined) return undefined;
  const values = (setting: string) => valuesOf(context, subprocessor.id, setting);
  return { context, subprocessor, integration, endpoint, hook, values };
}

/** Reads what a proven delivery tells and makes durable what it causes: all of it, or none, in as many round trips as for one. */
export async function understand(
  ports: Ports,
  found: Found,
  proven: Proven,
): Promise<Result<readonly Entry[], Unreadable | UnknownState>> {
  const reading = found.hook.read(proven);
  if (!reading.ok) return reading;
  if (found.hook.transmitter !== undefined && !(await heard(ports, found, reading.value)))
    return fail({ reason: "unknown_state", at: "state" });
  const isNoted = ({ stream }: VendorEvent) => stream !== undefined && found.hook.transmitter !== undefined;
  countIgnored(
    ports,
    found.context,
    found,
    reading.value.filter((event) => !isNoted(event)),
  );
  const events = reading.value.filter(({ signals }) => signals.length > 0);
  return ok(
    events.length === 0
      ? []
      : await record(
          ports,
          found.context,
          (context) => intentsOf(context, found, events),
          (context, now) => contentOf(ports, context, found, events, now),
        ),
  );
}

/** What is known and of no concern here is counted, never silently dropped, and an alarm is raised; nobody waits for that. */
export function countIgnored(
  ports: Ports,
  { tenant }: Context,
  { subprocessor, endpoint }: Pick<Found, "subprocessor" | "endpoint">,
  events: readonly VendorEvent[],
): void {
  const ignored = events.filter(({ signals }) => signals.length === 0);
  if (ignored.length === 0) return;
  for (const { name } of ignored.filter(({ alarm }) => alarm === true))
    ports.log("hook_alarm", {
      tenant: tenant.slug,
      subprocessor: subprocessor.id,
      endpoint,
      name: name.slice(0, 100),
    });
  const counts = [...Map.groupBy(ignored, ({ name }) => name)].map(([name, { length }]) => ({
    // A vendor's own text, bounded: it is a field's name.
    event: `${subprocessor.id}/${endpoint} ${name.slice(0, 100)}`,
    count: length,
  }));
  ports.later(ports.store.countIgnored(tenant.n, counts, ports.now()));
}

/** Who tells what happened, and what its word may cause: a hook, or a list that the vendor offers in its place. */
export type Teller = Pick<Found, "subprocessor" | "integration" | "endpoint"> & {
  readonly hook: Pick<Hook, "authority" | "deadlines" | "confirm">;
};

export const intentsOf = (context: Context, found: Teller, events: readonly VendorEvent[]): Intent[] =>
  events.flatMap(({ id, signals }) =>
    signals.flatMap((signal, index) =>
      // It is no exercise of a right, and goes its own way.
      signal.type === "content_deleted" ? [] : [intentOf(context, found, signal, `${id}#${index}`)],
    ),
  );

/**
 * What a proven signal causes. Verified is not authorised: the policy says what each hook's signals may do, and a hook
 * speaks only for identities of its own integration unless the policy widens that.
 */
export function intentOf(
  { tenant }: Pick<Context, "tenant">,
  { subprocessor, integration, endpoint, hook }: Teller,
  signal: Signal,
  delivery: string,
): Intent {
  const source = `${subprocessor.id}/${endpoint}`;
  const cause = CAUSES[signal.type];
  const isOwn = Object.hasOwn(integration.identities, signal.identity.type);
  const mayName = isOwn || (tenant.policy.widen[source] ?? []).includes(signal.identity.type);
  const decided: Partial<Record<string, Authority>> = tenant.policy.authority[source] ?? {};
  const stated = decided[signal.type] ?? hook.authority[signal.type] ?? "record";
  const authority = mayName && cause !== undefined ? stated : "record";
  const within = hook.deadlines?.[signal.type];
  return {
    type: cause === "end of a grant" && authority !== "everywhere" ? "revocation" : "erasure",
    source,
    delivery,
    authority,
    // An id of the vendor's own means nothing at another account of the same vendor.
    identities: [isOwn ? { ...signal.identity, subprocessor: subprocessor.id } : signal.identity],
    // What people ask for is never an echo; what a vendor reports may be.
    ...(signal.type !== "erasure_requested" && { echoOf: subprocessor.id }),
    signalAt: signal.at,
    // What it may not speak for does not begin a new generation, either.
    ...(mayName && { signal: signal.type }),
    ...(authority !== "everywhere" && { scope: subprocessor.id }),
    ...(cause === "end of a grant" && { endedByHolder: true as const }),
    ...(tenant.policy.unknown?.[source] === "record" && { onlyKnown: true as const }),
    ...(within !== undefined && { dueWithinMs: within.hours * 3_600_000 }),
    ...(hook.confirm?.signals.includes(signal.type) === true && { confirms: true as const }),
  };
}

/** What a signal may cause at all, whatever a policy says; of the others a note is kept. */
const CAUSES: Partial<Readonly<Record<SignalType, "erasure" | "end of a grant">>> = {
  erasure_requested: "erasure",
  account_deleted: "erasure",
  deauthorized: "end of a grant",
  token_revoked: "end of a grant",
};
