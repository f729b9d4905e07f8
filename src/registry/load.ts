import type { Instant, TenantNumber } from "../ids.ts";
import type { Store } from "../platform/store.ts";
import type { TenantKeys, Vault } from "../ports.ts";
import type { Tenant } from "./tenant.ts";

/** A tenant at one version, with its keys derived and what was unsealed for it: all of it lives and ends with the snapshot. */
export type Context = {
  readonly version: string;
  readonly tenant: Tenant;
  readonly keys: TenantKeys;
  readonly loadedAt: Instant;
  /** A secret's values, newest first; none when the setting is not filled in. */
  readonly secrets: (subprocessor: string, setting: string) => Promise<readonly string[]>;
  /** Makes a thing once for this snapshot, such as an imported key. */
  readonly once: <T>(name: string, make: () => Promise<T>) => Promise<T>;
};

export type Tenants = {
  readonly bySlug: (slug: string, maxAgeMs?: number) => Promise<Context | undefined>;
  readonly byNumber: (n: TenantNumber, maxAgeMs?: number) => Promise<Context | undefined>;
};

/** How old a snapshot may be where nothing compares its version: key and secret caches end with it (at most five minutes). */
export const FRESH_MS = 30_000;

const MAX_TENANTS = 500;
const MAX_UNKNOWN = 2_000;

/** The snapshots that this isolate holds. Bounded: the oldest make room. */
export function tenants(store: Store, vault: Vault, now: () => Instant): Tenants {
  const contexts = new Map<TenantNumber, Context>();
  const numbers = new Map<string, TenantNumber>();
  const unknown = new Map<string, Instant>();

  const byNumber = async (n: TenantNumber, maxAgeMs = FRESH_MS) => {
    const known = contexts.get(n);
    // Zero asks for what is in the store now, even in the millisecond of the last load.
    if (known !== undefined && now() - known.loadedAt < maxAgeMs) return known;
    const snapshot = await store.snapshot(n);
    if (snapshot === undefined) return undefined;
    if (known?.version === snapshot.version && now() - known.loadedAt < 300_000) {
      const renewed = { ...known, loadedAt: now() };
      contexts.set(n, renewed);
      return renewed;
    }
    const context = await contextOf(snapshot.version, snapshot.tenant, vault, now());
    remember(contexts, n, context, MAX_TENANTS);
    return context;
  };

  const bySlug = async (slug: string, maxAgeMs = FRESH_MS) => {
    const missing = unknown.get(slug);
    if (missing !== undefined && now() - missing < FRESH_MS) return undefined;
    const n = numbers.get(slug) ?? (await store.numberOf(slug));
    if (n === undefined) {
      remember(unknown, slug, now(), MAX_UNKNOWN);
      return undefined;
    }
    remember(numbers, slug, n, MAX_UNKNOWN);
    return byNumber(n, maxAgeMs);
  };

  return { bySlug, byNumber };
}

async function contextOf(version: string, stored: Tenant, vault: Vault, loadedAt: Instant): Promise<Context> {
  // Ids come from addresses and bodies: `constructor` must be as unknown as any other.
  const tenant: Tenant = { ...stored, subprocessors: Object.assign(Object.create(null), stored.subprocessors) };
  const keys = await vault.tenant(tenant.n, tenant.root);
  const made = new Map<string, unknown>();
  const once = async <T>(name: string, make: () => Promise<T>): Promise<T> => {
    // Values are kept and never promises: a promise belongs to the invocation that made it.
    if (!made.has(name)) made.set(name, await make());
    // What stands under a name was made by a `make` of that name, so the type is the one that was put in.
    return made.get(name) as T;
  };
  const secrets = (subprocessor: string, setting: string) =>
    once(`secret ${subprocessor} ${setting}`, () => {
      const sealed = tenant.subprocessors[subprocessor]?.secrets[setting] ?? [];
      return Promise.all(sealed.map((text) => keys.openSetting(`${subprocessor} ${setting}`, text)));
    });
  return { version, tenant, keys, loadedAt, secrets, once };
}

function remember<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > most && oldest.done !== true) map.delete(oldest.value);
}
