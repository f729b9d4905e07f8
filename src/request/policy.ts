import { z } from "zod";
import { type Integration, isAbsent } from "../contract/integration.ts";
import type { Tenant } from "../registry/tenant.ts";
import type { Integrations } from "./plan.ts";

/** Grounds on which data may be kept; the codes are those that receipts and pages explain. */
export const Ground = z.enum([
  "legal_obligation",
  "legal_claims",
  "contract_open",
  "security",
  "backup_cycle",
  "suppression",
  "not_identifiable",
  "legal_hold",
]);
export type Ground = z.infer<typeof Ground>;

/** How long one category of data is kept after an erasure was asked for, where, and by which law. */
const Retention = z.strictObject({
  category: z.string().regex(/^[a-z][a-z0-9_]{1,63}$/),
  subprocessors: z.array(z.string()).min(1).optional(),
  keep: z.union([
    z.strictObject({ days: z.number().int().min(1).max(36_525) }),
    z.strictObject({ years: z.number().int().min(1).max(100) }),
  ]),
  /** Some laws count from the end of the calendar year in which the record was made. */
  from: z.enum(["request", "year_end"]).default("request"),
  ground: Ground,
  law: z.string().min(1).max(300),
});

const Caused = z.enum(["record", "here", "everywhere"]).exactOptional();

/** What a hook's signals may cause. Deleted content is told to whoever takes it, or only counted. */
const Authorities = z.strictObject({
  erasure_requested: Caused,
  deauthorized: Caused,
  token_revoked: Caused,
  account_deleted: Caused,
  content_deleted: z.enum(["record", "everywhere"]).exactOptional(),
});

/** What a tenant has decided. Each has a default, so that a new tenant is safe before it decides anything. */
export const Policy = z.strictObject({
  /** The IANA zone in which days end: legal dates are local dates. */
  zone: z.string().refine(isZone, "expected an IANA time zone such as Europe/Berlin").default("UTC"),
  /** By when a request must be answered: GDPR Art. 12(3), one month; CCPA, 45 days. */
  deadline: z
    .union([
      z.strictObject({ months: z.number().int().min(1).max(3) }),
      z.strictObject({ days: z.number().int().min(1).max(90) }),
    ])
    .default({ months: 1 }),
  /** For how many days a closed account can be restored before it is erased. */
  grace_days: z.number().int().min(0).max(365).default(30),
  /** Erasures that one source may cause in an hour before more are held for review. */
  ceiling_per_hour: z.number().int().min(1).max(1_000_000).default(200),
  /** What a proven signal may cause, by `<subprocessor>/<endpoint>` and signal, where the integration's default does not fit. */
  authority: z.record(z.string(), Authorities).default({}),
  /** Identity types for which a hook may speak beside its integration's own, by `<subprocessor>/<endpoint>`. */
  widen: z.record(z.string(), z.array(z.string())).default({}),
  /**
   * Sources of which a signal about somebody whom nobody has linked is only noted, by `<subprocessor>/<endpoint>`: for vendors
   * that tell every application of every account.
   */
  unknown: z.record(z.string(), z.literal("record")).exactOptional(),
  retention: z.array(Retention).max(200).default([]),
  /** What to do with tasks that have not ended when the deadline comes. */
  at_deadline: z.enum(["keep_open", "unresolved"]).default("keep_open"),
  /** For how long the fact that someone was erased keeps their data from being collected again. */
  suppression_days: z.number().int().min(30).max(3650).default(1095),
  /** For how long receipts can be fetched here; CCPA regulations 7101 ask for 24 months. */
  receipt_days: z.number().int().min(730).max(3650).default(1095),
  /** The pages to which people are sent back when they have connected an account: origin and path, to the letter. */
  return_addresses: z
    .array(
      z.string().max(500).refine(isReturnAddress, "expected an https address without query, fragment or credentials"),
    )
    .max(50)
    .default([]),
  /** For how long the store's backups may still hold a destroyed key. */
  backup_days: z.number().int().min(0).max(365).default(3),
});
export type Policy = z.infer<typeof Policy>;

type Misfit = { readonly field: string; readonly expected: string };

/**
 * What of a policy would do nothing. A category that no holder knows is a mistake; a subprocessor or endpoint that is not in the registry
 * may be entered after the policy, so that is only said.
 */
export function misfits(
  { retention, authority, widen, unknown = {} }: Policy,
  { subprocessors }: Pick<Tenant, "subprocessors">,
  integrations: Integrations,
): { readonly errors: readonly Misfit[]; readonly warnings: readonly Misfit[] } {
  const categories = new Set([...integrations.values()].flatMap(({ retainable }) => retainable));
  const errors = retention.flatMap(({ category }, index) =>
    categories.has(category)
      ? []
      : [{ field: `retention.${index}.category`, expected: `one of ${[...categories].sort().join(", ")}` }],
  );
  const registered = `a subprocessor of your registry, which has ${Object.keys(subprocessors).join(", ") || "none yet"}`;
  const places = Object.entries({ authority, widen, unknown }).flatMap(([member, entries]) =>
    Object.keys(entries).map((place) => ({ field: `${member}.${place}`, place })),
  );
  const warnings = [
    ...retention.flatMap(({ subprocessors: named = [] }, index) =>
      named
        .filter((id) => subprocessors[id] === undefined)
        .map((_, at) => ({ field: `retention.${index}.subprocessors.${at}`, expected: registered })),
    ),
    ...places.flatMap(({ field, place }) => {
      const [id = "", endpoint = ""] = place.split("/");
      const entry = subprocessors[id];
      if (entry === undefined) return [{ field, expected: registered }];
      const known = endpointsOf(integrations.get(entry.integration));
      return known.includes(endpoint) ? [] : [{ field, expected: `${id}/ and one of ${known.join(", ")}` }];
    }),
  ];
  return { errors, warnings };
}

/** Where signals of a vendor come from: its hooks, its streams, its lists, and the ids that an operator hands over. */
const endpointsOf = (integration: Integration | undefined): readonly string[] => [
  ...(integration === undefined || isAbsent(integration.hooks) ? [] : Object.keys(integration.hooks)),
  ...Object.keys(integration?.streams ?? {}),
  ...Object.keys(integration?.lists ?? {}),
  "import",
];

export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Over TLS; on the developer's own machine without (RFC 8252 section 7.3). */
function isReturnAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(address);
  const isLocal = protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  return (protocol === "https:" || isLocal) && username + password + search + hash === "";
}

/** Whether people may be sent there: one of the policy's pages, with whatever query the product adds. */
export function mayReturnTo({ return_addresses }: Pick<Policy, "return_addresses">, address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { origin, pathname, username, password, hash } = new URL(address);
  if (username + password + hash !== "") return false;
  return return_addresses.some((known) => {
    const page = new URL(known);
    return page.origin === origin && page.pathname === pathname;
  });
}
