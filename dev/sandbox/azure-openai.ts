import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { derivedId, page, type Shelf, shelf, type Thing } from "./shelf.ts";
import type { MakeVendor, Refusal } from "./vendor.ts";

const DOMAIN = ".openai.azure.com";

const one = z.strictObject({ id: z.string().optional(), content: z.string().default("") });

/** `{vendor: "azure-openai", account: "<resource>", api_key?, files?, vector_stores?, responses?, conversations?, …}`. */
const Seed = z.object({
  account: z.string(),
  /** Without one, any will do. */
  api_key: z.string().optional(),
  files: z.array(one).default([]),
  vector_stores: z.array(one).default([]),
  responses: z.array(one).default([]),
  assistants: z.array(one).default([]),
  threads: z.array(one).default([]),
  /** Each item is a message's text. */
  conversations: z
    .array(z.strictObject({ id: z.string().optional(), items: z.array(z.string()).default([]) }))
    .default([]),
});

type Kind = Exclude<keyof z.infer<typeof Seed>, "account" | "api_key">;

/** What a deletion says that it deleted. */
const KINDS: Readonly<Record<Kind, string>> = {
  files: "file",
  vector_stores: "vector_store.deleted",
  responses: "response.deleted",
  assistants: "assistant.deleted",
  threads: "thread.deleted",
  conversations: "conversation.deleted",
};

type Env = { Variables: { resource: string } };

/**
 * Objects stored in resources of Azure OpenAI, each read and deleted by id under the v1 API; deleting a conversation leaves
 * its items. A resource that was not seeded does not exist.
 *
 * Unconfirmed: shapes and words are OpenAI's, which the v1 API is said to take over.
 *
 * @see https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/responses
 */
export const azureOpenai: MakeVendor = () => {
  const keys = new Map<string, string | undefined>();
  const items = shelf();
  const shelves: Readonly<Record<Kind, Shelf>> = {
    files: shelf(),
    vector_stores: shelf(),
    responses: shelf(),
    assistants: shelf(),
    threads: shelf(),
    conversations: shelf(),
  };

  const app = new Hono<Env>();
  app.use(async (c, next) => {
    const resource = new URL(c.req.url).hostname.slice(0, -DOMAIN.length);
    if (!keys.has(resource)) return c.text("", 404);
    const key = c.req.header("api-key");
    if (key === undefined || (keys.get(resource) ?? key) !== key) throw refused(401, WORDS.unauthorized);
    c.set("resource", resource);
    await next();
  });
  app.notFound(() => azureError(404, "Resource not found"));
  const api = app.basePath("/openai/v1");

  const find = (kind: Shelf, c: Context<Env>, name = "id"): Thing => {
    const thing = kind.get(c.get("resource"), c.req.param(name) ?? "");
    if (thing) return thing;
    throw refused(404, "No such object");
  };
  api.get("/files", (c) => {
    const files = shelves.files.list(c.get("resource"));
    return c.json({ object: "list", data: files.map(shown), has_more: false });
  });
  for (const [kind, held] of Object.entries(shelves)) {
    api.get(`/${kind}/:id`, (c) => c.json(shown(find(held, c))));
    api.delete(`/${kind}/:id`, (c) => {
      const { id } = find(held, c);
      held.remove(c.get("resource"), id);
      // The keys of both are the kinds; Object.entries does not say so.
      return c.json({ id, object: KINDS[kind as Kind], deleted: true });
    });
  }
  const itemsOf = (c: Context<Env>) => {
    const { id } = find(shelves.conversations, c);
    return items.list(c.get("resource")).filter(({ conversation_id }) => conversation_id === id);
  };
  api.get("/conversations/:id/items", (c) => {
    const found = page(itemsOf(c).toReversed(), c.req.query("after"), Number(c.req.query("limit") ?? 20));
    if (!found) throw refused(400, "No object found with that id");
    return c.json({ object: "list", data: found.data.map(shown), has_more: found.hasMore });
  });
  api.delete("/conversations/:id/items/:item", (c) => {
    const item = itemsOf(c).find(({ id }) => id === c.req.param("item"));
    if (!item) throw refused(404, "No such item");
    items.remove(c.get("resource"), item.id);
    return c.json(shown(find(shelves.conversations, c)));
  });

  return {
    id: "azure-openai",
    about: `*${DOMAIN}`,
    serves: (host) => host.endsWith(DOMAIN) && !host.slice(0, -DOMAIN.length).includes("."),
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => azureError(status, WORDS[reason]),
    seed(body) {
      const { account, api_key, conversations, ...seed } = Seed.parse(body);
      keys.set(account, api_key ?? keys.get(account));
      const planted = Object.entries(seed).map(([kind, things]) => [
        kind,
        things.map(({ id, content }) => {
          const own = id ?? derivedId(`${kind}_`, account, content);
          return shelves[kind as Kind].put(account, { id: own, content }).id;
        }),
      ]);
      const held = conversations.map(({ id, items: texts }) => {
        const own = id ?? derivedId("conv_", account, ...texts);
        for (const [nth, content] of texts.entries())
          items.put(account, { id: derivedId("msg_", own, nth), content, conversation_id: own });
        return shelves.conversations.put(account, { id: own, object: "conversation" }).id;
      });
      return { ...Object.fromEntries(planted), conversations: held };
    },
    holdings: () => ({
      ...Object.fromEntries(Object.entries(shelves).map(([kind, held]) => [kind, held.shown()])),
      conversation_items: items.shown(),
    }),
    reset() {
      keys.clear();
      items.clear();
      for (const held of Object.values(shelves)) held.clear();
    },
  };
};

/** As the API shows an object: without its content. */
function shown({ content: _, conversation_id: __, ...thing }: Thing): Thing {
  return { ...thing, id: String(thing.id) };
}

const WORDS: Readonly<Record<Refusal["reason"], string>> = {
  unauthorized: "Access denied due to invalid subscription key or wrong API endpoint.",
  rate_limited: "Requests have exceeded the call rate limit of your current pricing tier.",
  server_error: "The server had an error while processing your request.",
};

const azureError = (status: number, message: string): Response =>
  Response.json({ error: { code: String(status), message } }, { status });

const refused = (status: 400 | 401 | 404, message: string): HTTPException =>
  new HTTPException(status, { res: azureError(status, message) });
