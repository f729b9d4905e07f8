import { z } from "zod";
import { at, bearer, get, postJson, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import {
  type Answer,
  erased,
  notFound,
  type Sight,
  type Unauthorized,
  type Unforeseen,
} from "../src/contract/outcome.ts";
import { type Settings, text } from "../src/contract/settings.ts";
import { cloudflareSettings, inAccount, ORIGIN, refusal, TOKENS } from "./houses/cloudflare.ts";
import { prefixes, prefixesOf } from "./houses/key-prefix.ts";

/**
 * A namespace of Workers KV holds values of the tenant's people, under prefixes with their ids or under keys that are
 * registered. We list the keys and delete them in bulk.
 */
const KEYS =
  "https://developers.cloudflare.com/api/resources/kv/subresources/namespaces/subresources/keys/methods/list/";
const BULK = "https://developers.cloudflare.com/api/resources/kv/subresources/namespaces/methods/bulk_delete/";

/** A key comes with metadata of up to 1,024 bytes: a page of a thousand would be more than is read of an answer. */
const PAGE = 500;

/** Keys that one call deletes. */
const MOST = 10_000;

const settings = {
  ...cloudflareSettings,
  namespaceId: text("Namespace id", /^[0-9a-f]{32}$/),
  prefixes: prefixes("Prefixes of one person, such as user:{id}:, separated by commas", ["/", ":", "|", "#"]),
} satisfies Settings;
type KvOrder = Order<typeof settings>;

const Page = z.object({
  success: z.literal(true),
  result: z.array(z.object({ name: z.string().min(1) })),
  result_info: z.object({ cursor: z.string().nullish() }).nullish(),
});
const Deleted = z.object({
  success: z.literal(true),
  result: z.object({ unsuccessful_keys: z.array(z.unknown()).nullish() }).nullish(),
});

export const cloudflareKv = defineIntegration({
  id: "cloudflare-kv",
  name: "Cloudflare Workers KV",
  about: "Stores values for the tenant.",
  origins: [ORIGIN],
  settings,
  identities: {
    "cloudflare-kv.id": "The id under which the namespace's prefixes have a person, where it is not the user_id",
    "cloudflare-kv.key": "One key",
  },

  hooks: absent("KV tells nobody", KEYS),
  oauth: absent("API tokens only", TOKENS),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", TOKENS),
    erase: {
      source: BULK,
      by: ["user_id", "cloudflare-kv.id", "cloudflare-kv.key"],
      each: "identity",
      *run(order) {
        const places = placesOf(order);
        if ("outcome" in places) return places;
        // All are listed before any is deleted: a list may have for a minute what is deleted already.
        const names: string[] = [];
        for (const place of places) {
          const found = yield* namesAt(place, order, MOST - names.length);
          if ("outcome" in found) return found;
          names.push(...found);
        }
        return names.length === 0 ? notFound : yield* without(names, order);
      },
      look: {
        // KV is eventually consistent: lists and other places may have an old state for 60 seconds, or for longer.
        afterSeconds: 120,
        *run(order): Steps<Sight> {
          const places = placesOf(order);
          if ("outcome" in places) return places;
          for (const place of places) {
            const found = yield* namesAt(place, order, 1);
            if ("outcome" in found) return found;
            if (found.length > 0) return "present";
          }
          return "absent";
        },
      },
    },
  },

  residuals: [],
  retainable: [],
  // "1,200 requests in five minutes" for all that a user's or an account's tokens do.
  limits: { perSecond: 4, connections: 2, account: { settings: ["accountId"], family: "cloudflare" } },
});

type Place = { readonly prefix: string; readonly exactly: boolean };

function placesOf({ identity, settings }: KvOrder): readonly Place[] | Unforeseen {
  if (identity.type === "cloudflare-kv.key") return [{ prefix: identity.value, exactly: true }];
  const all = prefixesOf(settings.prefixes, identity.value);
  return "outcome" in all ? all : all.map((prefix) => ({ prefix, exactly: false }));
}

/** The names under a place, `most` of them and the rest of their page. */
function* namesAt(place: Place, order: KvOrder, most: number): Steps<readonly string[] | Unauthorized | Unforeseen> {
  const { namespaceId: namespace, apiToken } = order.settings;
  const names: string[] = [];
  let after = at``;
  while (names.length < most) {
    const list = at`/storage/kv/namespaces/${{ namespace }}/keys?limit=${{ limit: `${PAGE}` }}&prefix=${{ prefix: place.prefix }}`;
    const address = inAccount(order.settings, { url: list.url + after.url, template: list.template + after.template });
    const reply = yield get(address, bearer(apiToken));
    if (reply.status !== 200) return refusal(reply);
    const page = read(reply, Page);
    if (!page.ok) return page.problem;
    const found = page.value.result.map(({ name }) => name);
    // Whatever a list says, nothing outside the place is touched.
    if (found.some((name) => !name.startsWith(place.prefix)))
      return unforeseen(reply, "the list has keys that were not asked for");
    // Lists are in the order of keys, so that the very key stands first.
    if (place.exactly) return found.filter((name) => name === place.prefix);
    names.push(...found);
    const { cursor } = page.value.result_info ?? {};
    if (cursor == null || cursor === "") return names;
    after = at`&cursor=${{ cursor }}`;
  }
  return names;
}

function* without(names: readonly string[], order: KvOrder): Steps<Answer> {
  const { namespaceId: namespace, apiToken } = order.settings;
  const bulk = inAccount(order.settings, at`/storage/kv/namespaces/${{ namespace }}/bulk/delete`);
  const reply = yield postJson(bulk, bearer(apiToken), names.slice(0, MOST));
  if (reply.status !== 200) return refusal(reply);
  const deleted = read(reply, Deleted);
  if (!deleted.ok) return deleted.problem;
  // "They should be retried"; and what was too much for one call is left for the time when the list is up to date.
  const isLeft = (deleted.value.result?.unsuccessful_keys ?? []).length > 0 || names.length >= MOST;
  return isLeft ? { outcome: "slow_down", seconds: 120 } : erased;
}
