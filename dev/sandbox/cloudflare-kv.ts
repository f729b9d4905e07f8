import { z } from "zod";
import { answered, cloudflareRefusal, refused, refusedToken } from "./cloudflare-api.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor, account, namespace, token?, values}`; `token` may then act for this account only. */
const Seed = z.strictObject({
  vendor: z.string(),
  account: z.string(),
  namespace: z.string(),
  token: z.string().optional(),
  values: z.record(z.string().min(1).max(512), z.string()),
  /** Keys that a bulk deletion gives back as not deleted, once. */
  failing: z.array(z.string()).default([]),
});

const PATH = /^\/client\/v4\/accounts\/([^/]+)\/storage\/kv\/namespaces\/([^/]+)\/(keys|bulk\/delete)$/;

/** Lists may have for so long what is deleted already. */
const STALE_MS = 60_000;

type Value = { readonly text: string; deletedAt?: number };
type Namespace = { readonly account: string; readonly values: Map<string, Value>; readonly failing: Set<string> };

/**
 * Namespaces of Workers KV. A list is in the order of keys, and goes on having what was deleted within the last minute.
 *
 * @see https://developers.cloudflare.com/kv/concepts/how-kv-works/#consistency
 * @see https://developers.cloudflare.com/api/resources/kv/subresources/namespaces/methods/bulk_delete/
 */
export const cloudflareKv: MakeVendor = (world) => {
  const namespaces = new Map<string, Namespace>();
  const tokens = new Map<string, string>();

  const list = ({ values }: Namespace, query: URLSearchParams): Response => {
    const limit = Number(query.get("limit") ?? 1000);
    if (!Number.isInteger(limit) || limit < 10 || limit > 1000) return refused(400, 10_029);
    const after = query.get("cursor") ?? "";
    const rest = [...values]
      .filter(([name, { deletedAt }]) => {
        const isListed = deletedAt === undefined || deletedAt + STALE_MS > world.now();
        return isListed && name.startsWith(query.get("prefix") ?? "") && name > after;
      })
      .map(([name]) => name)
      .toSorted();
    const page = rest.slice(0, limit);
    const cursor = rest.length > page.length ? (page.at(-1) ?? "") : "";
    return answered(
      page.map((name) => ({ name })),
      { result_info: { count: page.length, cursor } },
    );
  };

  const bulk = ({ values, failing }: Namespace, names: readonly string[]): Response => {
    const failed = names.filter((name) => failing.delete(name));
    for (const name of names) {
      const value = values.get(name);
      if (value !== undefined && !failed.includes(name)) value.deletedAt ??= world.now();
    }
    return answered({ successful_key_count: names.length - failed.length, unsuccessful_keys: failed });
  };

  return {
    id: "cloudflare-kv",
    about: "api.cloudflare.com/client/v4/accounts/{account}/storage/kv",
    serves: () => false,
    standsAt: ({ host, pathname }) => host === "api.cloudflare.com" && pathname.includes("/storage/kv/"),
    async call(request) {
      const url = new URL(request.url);
      const [, account = "", id = "", what] = PATH.exec(url.pathname) ?? [];
      const odd = refusedToken(request, tokens, account);
      if (odd) return odd;
      const namespace = namespaces.get(id);
      if (namespace === undefined || namespace.account !== account) return refused(404, 10_013);
      if (request.method === "GET" && what === "keys") return list(namespace, url.searchParams);
      if (request.method !== "POST" || what !== "bulk/delete") return refused(405, 10_405);
      const names = z
        .array(z.string().min(1).max(512))
        .max(10_000)
        .safeParse(await request.json());
      return names.success ? bulk(namespace, names.data) : refused(400, 10_001);
    },
    refuse: cloudflareRefusal,
    seed(body) {
      const { account, namespace: id, token, values, failing } = Seed.parse(body);
      if (token !== undefined) tokens.set(token, account);
      const namespace = namespaces.get(id) ?? { account, values: new Map(), failing: new Set() };
      namespaces.set(id, namespace);
      for (const [name, text] of Object.entries(values)) namespace.values.set(name, { text });
      for (const name of failing) namespace.failing.add(name);
      return { keys: Object.keys(values) };
    },
    holdings: () => ({
      values: [...namespaces].flatMap(([namespace, { values }]) =>
        [...values]
          .filter(([, { deletedAt }]) => deletedAt === undefined)
          .map(([name, { text }]) => ({ namespace, name, value: text })),
      ),
    }),
    reset() {
      namespaces.clear();
      tokens.clear();
    },
  };
};
