import { createHash } from "node:crypto";
import type { Json } from "./vendor.ts";

/** An object of a vendor, in the vendor's own shape. */
export type Thing = { id: string; [field: string]: Json };

/** The fields of a value that has some. */
export function fieldsOf(value: Json | undefined): { readonly [field: string]: Json } {
  // An array is the only other thing of type object, and it is left out; its type does not narrow by itself.
  if (value === undefined || value === null || typeof value !== "object" || Array.isArray(value)) return {};
  return value as { readonly [field: string]: Json };
}

/** Objects seeded without an account belong to everyone: every credential sees them. */
export const everyone = "*";

/** Objects of one kind, each in one account of the vendor. Ids are unique across accounts, as the vendors' are. */
export type Shelf<T extends Thing = Thing> = {
  /** Adds, or replaces what has the same id; throws when another account holds that id. */
  put(account: string, thing: T): T;
  get(account: string, id: string): T | undefined;
  /** Oldest first; objects of one moment stay in the order in which they were put. */
  list(account: string): T[];
  /** Answers whether it was there. */
  remove(account: string, id: string): boolean;
  /** By id, each with its account unless it belongs to everyone. */
  shown(): Record<string, Json>;
  clear(): void;
};

export function shelf<T extends Thing = Thing>(): Shelf<T> {
  const places = new Map<string, { account: string; thing: T }>();
  const visible = (account: string, id: string) => {
    const place = places.get(id);
    return place && (place.account === account || place.account === everyone) ? place : undefined;
  };
  return {
    put(account, thing) {
      const owner = places.get(thing.id)?.account;
      if (owner !== undefined && owner !== account && owner !== everyone)
        throw new Error(`${thing.id} belongs to another account`);
      places.set(thing.id, { account: owner ?? account, thing });
      return thing;
    },
    get: (account, id) => visible(account, id)?.thing,
    list: (account) =>
      [...places.values()].filter((place) => visible(account, place.thing.id)).map(({ thing }) => thing),
    remove: (account, id) => visible(account, id) !== undefined && places.delete(id),
    shown: () =>
      Object.fromEntries(
        [...places].map(([id, { account, thing }]) => [id, account === everyone ? thing : { ...thing, account }]),
      ),
    clear: () => places.clear(),
  };
}

/** One page: at most `limit` of what stands behind the object with id `after`. An unknown `after` gives `undefined`. */
export function page<T extends Thing>(
  things: readonly T[],
  after: string | undefined,
  limit: number,
): { data: T[]; hasMore: boolean } | undefined {
  const start = after === undefined ? 0 : things.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0) return undefined;
  return { data: things.slice(start, start + limit), hasMore: start + limit < things.length };
}

/** The same parts give the same id, so that seeding twice holds everything once. */
export function derivedId(prefix: string, ...parts: readonly (string | number)[]): string {
  return prefix + createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}
