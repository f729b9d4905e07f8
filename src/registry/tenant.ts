import type { TenantNumber } from "../ids.ts";
import type { Hold } from "../request/hold.ts";
import type { Policy } from "../request/policy.ts";
import type { Subprocessor } from "./subprocessor.ts";

/** Roles of an API key: `operate` may change registry and policy, `request` may open and follow requests, `read` may look. */
export type Role = "operate" | "request" | "read";

export type ApiKey = {
  readonly id: string;
  /** SHA-256 of the key, base64url: keys are random, so a plain hash cannot be guessed back. */
  readonly hash: string;
  readonly role: Role;
  readonly createdAt: string;
};

/** A tenant as it stands at one version: all that planning needs, in one document. */
export type Tenant = {
  readonly n: TenantNumber;
  readonly slug: string;
  readonly name: string;
  /** The tenant's root key, wrapped by a master key. */
  readonly root: string;
  readonly policy: Policy;
  readonly policyVersion: number;
  readonly subprocessors: Readonly<Record<string, Subprocessor>>;
  readonly apiKeys: readonly ApiKey[];
  readonly holds: readonly Hold[];
  readonly status: "active" | "closed";
};

export const SLUG = /^[a-z][a-z0-9-]{2,40}$/;
const RESERVED = new Set([
  "admin",
  "api",
  "console",
  "gateway",
  "hooks",
  "oauth",
  "privacy",
  "quittance",
  "status",
  "system",
  "www",
]);
export const isReserved = (slug: string): boolean => RESERVED.has(slug);
