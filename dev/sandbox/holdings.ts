import type { Json, Vendor } from "./vendor.ts";

/** Everything held, by vendor: `{stripe: {customers: {…}, …}, meta: {grants: {…}}, …}`. */
export function holdings(vendors: readonly Vendor[]): Record<string, Json> {
  return Object.fromEntries(vendors.map((vendor) => [vendor.id.replaceAll("-", "_"), vendor.holdings()]));
}

/**
 * Where a text stands, as JSON Pointers into the holdings, whatever its case: who still holds what about a person.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6901
 */
export function whereIs(text: string, held: Json, at = ""): string[] {
  const sought = text.toLowerCase();
  if (held === null || typeof held !== "object") return String(held).toLowerCase().includes(sought) ? [at] : [];
  return Object.entries(held).flatMap(([key, value]) => {
    const here = `${at}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const inside = whereIs(text, value, here);
    return key.toLowerCase().includes(sought) ? [here, ...inside.filter((path) => path !== here)] : inside;
  });
}
