import type { Hash } from "../platform/store/requests.ts";
import type { TenantKeys } from "../ports.ts";
import type { KnownIdentity } from "./plan.ts";

/** A subject's record as it lies in the store: its wrapped key, and one sealed field for each identity or object. */
export type SubjectRecord = {
  readonly version: string;
  readonly known: readonly (KnownIdentity & { readonly field: string })[];
};

export const ENTRY = "e:";

export async function openSubject(keys: TenantKeys, subject: string, hash: Hash): Promise<SubjectRecord> {
  const wrapped = hash.k;
  if (wrapped === undefined) return { version: "", known: [] };
  const key = await keys.unwrap(`subject ${subject}`, wrapped);
  const fields = Object.entries(hash).filter(([name]) => name.startsWith(ENTRY));
  const known = await Promise.all(
    fields.map(async ([field, sealed]) => {
      // Sealed by the API from what its schemas have read, as the seal itself proves.
      return { ...(JSON.parse(await key.open(`subject ${subject} ${field}`, sealed)) as KnownIdentity), field };
    }),
  );
  return { version: hash.v ?? "", known };
}
