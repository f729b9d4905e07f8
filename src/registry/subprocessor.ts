import { z } from "zod";
import { isZone } from "../request/policy.ts";

/**
 * One entry of a tenant's registry: what a record of processing needs (GDPR Art. 28 and 30, SCC annexes), and what makes
 * the integration work. Unknown members are refused, so that a misspelt one is noticed.
 */
const Contact = z.strictObject({
  privacy_name: z.string().max(200).optional(),
  privacy_position: z.string().max(200).optional(),
  privacy_email: z.email().optional(),
  dsr_url: z.url().optional(),
  security_email: z.email().optional(),
});

const Transfer = z.strictObject({
  from: z.string().max(64),
  to: z.string().max(64),
  mechanism: z.enum(["dpf", "scc", "uk_addendum", "idta", "adequacy", "bcr", "derogation", "none"]),
  scc_module: z.number().int().min(1).max(4).optional(),
  document: z.url().optional(),
  tia_date: z.iso.date().optional(),
  valid_from: z.iso.date().optional(),
  valid_to: z.iso.date().optional(),
});

const Location = z.strictObject({
  country: z.string().regex(/^[A-Z]{2}$/, "expected an ISO 3166-1 alpha-2 code"),
  region: z.string().max(64).optional(),
  kind: z.enum(["storage", "processing", "support_access"]),
});

const Agreement = z.strictObject({
  kind: z.enum(["dpa", "scc", "uk_addendum", "baa"]),
  url: z.url().optional(),
  version: z.string().max(64).optional(),
  signed_at: z.iso.date().optional(),
});

/** The record of processing, apart from what makes the integration work. */
export const Facts = z.strictObject({
  legal_name: z.string().min(1).max(200).optional(),
  display_name: z.string().min(1).max(200).optional(),
  address: z.string().max(500).optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, "expected an ISO 3166-1 alpha-2 code")
    .optional(),
  website: z.url().optional(),
  role: z.enum(["processor", "controller", "joint_controller", "affiliate", "public"]).optional(),
  us_role: z.enum(["service_provider", "contractor", "third_party"]).optional(),
  /** The subprocessor for which this one works, in a chain. */
  parent: z.string().max(64).optional(),
  engaged_by: z.enum(["operator", "customer"]).optional(),
  contact: Contact.optional(),
  dpo: z.strictObject({ name: z.string().max(200).optional(), email: z.email().optional() }).optional(),
  eu_representative: z.string().max(500).optional(),
  uk_representative: z.string().max(500).optional(),
  purposes: z
    .array(
      z.strictObject({
        code: z.string().max(64),
        text: z.string().max(500),
        legal_basis: z.string().max(64).optional(),
      }),
    )
    .max(50)
    .optional(),
  processing: z.string().max(2000).optional(),
  responsibility_boundary: z.string().max(2000).optional(),
  data_categories: z.array(z.string().max(64)).max(50).optional(),
  data_subjects: z.array(z.string().max(64)).max(50).optional(),
  children: z.boolean().optional(),
  locations: z.array(Location).max(50).optional(),
  regions_supported: z.array(z.string().max(64)).max(50).optional(),
  transfers: z.array(Transfer).max(50).optional(),
  agreements: z.array(Agreement).max(50).optional(),
  security: z
    .array(z.strictObject({ kind: z.string().max(64), url: z.url().optional(), valid_to: z.iso.date().optional() }))
    .max(50)
    .optional(),
  ai: z
    .strictObject({
      trains_on_data: z.boolean(),
      opt_out: z.enum(["api", "contract", "none"]).optional(),
      retention_days: z.number().int().min(0).optional(),
      zero_retention: z.boolean().optional(),
    })
    .optional(),
  retention: z
    .strictObject({
      after_request_days: z.number().int().min(0).optional(),
      backups_days: z.number().int().min(0).optional(),
    })
    .optional(),
  subprocessors_url: z.url().optional(),
  sub_subprocessors: z.array(z.string().max(64)).max(100).optional(),
  notice: z
    .strictObject({ channel: z.enum(["email", "rss", "webhook", "page"]), days: z.number().int().min(0) })
    .optional(),
});
export type Facts = z.infer<typeof Facts>;

/** `rolling`, or the zone at whose midnight the vendor counts anew. */
const Resets = z
  .string()
  .refine(
    (zone) => zone === "rolling" || isZone(zone),
    "expected `rolling`, or an IANA time zone such as Europe/Berlin",
  );

/** What an operator sends; settings are read by the integration's own schema. */
export const SubprocessorInput = z.strictObject({
  integration: z.string().max(64),
  settings: z.record(z.string(), z.unknown()).default({}),
  /**
   * The controller states that it registers every object that it creates here, so that a person without registered
   * objects has none. Without this, having nothing to look with leaves an erasure open.
   */
  registers_objects: z.boolean().default(false),
  status: z.enum(["active", "retired"]).default("active"),
  /** In force from, and until: whoever held data gets the erasure, but only what is in force gets new data. */
  valid_from: z.iso.datetime().optional(),
  valid_to: z.iso.datetime().optional(),
  change_reason: z.string().max(500).optional(),
  /** Requests a day that the vendor allows this account, where it is not what the integration states. */
  quota: z.strictObject({ per_day: z.number().int().min(2).max(1_000_000_000), resets: Resets.optional() }).optional(),
  facts: Facts.default({}),
});

export type SubprocessorInput = z.infer<typeof SubprocessorInput>;

export const SUBPROCESSOR_ID = /^[a-z][a-z0-9-]{0,62}$/;

export type Subprocessor = {
  readonly id: string;
  readonly integration: string;
  /** Public settings as they are; secrets sealed, newest first. */
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, readonly string[]>>;
  readonly registersObjects: boolean;
  readonly status: "active" | "retired";
  readonly validFrom: string;
  readonly validTo?: string;
  readonly version: number;
  readonly facts: Facts;
  readonly stream?: StreamAgreed;
  readonly quota?: { readonly perDay: number; readonly resets?: string };
};

/** Whether a setting is filled in, secret or not. */
export const isFilledIn =
  ({ settings, secrets }: Pick<Subprocessor, "settings" | "secrets">) =>
  (setting: string): boolean =>
    Object.hasOwn(settings, setting) || Object.hasOwn(secrets, setting);

/** A stream that this gateway has set up at a transmitter, as the transmitter answered. Entering the subprocessor anew leaves it. */
export type StreamAgreed = {
  readonly id: string;
  readonly delivery: "push" | "poll";
  /** Where it is polled. */
  readonly endpoint?: string;
  readonly audience: readonly string[];
  /** None: the transmitter did not say. */
  readonly events: readonly string[];
};

/** Why a subprocessor gets no new data now; undefined where it does. Erasures reach it all the same. */
export function notInForce({ status, validFrom, validTo }: Subprocessor, now: number): string | undefined {
  if (status === "retired") return "it is retired";
  if (Date.parse(validFrom) > now) return `it is in force from ${validFrom}`;
  return validTo !== undefined && Date.parse(validTo) <= now ? `it was in force until ${validTo}` : undefined;
}
