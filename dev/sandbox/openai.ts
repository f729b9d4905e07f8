import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { derivedId, everyone, fieldsOf, page, type Shelf, shelf, type Thing } from "./shelf.ts";
import type { MakeVendor, Refusal } from "./vendor.ts";

/** A stored response that no conversation holds is kept so long. */
const RESPONSE_KEPT_SECONDS = 30 * 86_400;

const labelled = { id: z.string().optional(), metadata: z.record(z.string(), z.string()).default({}) };
const content = z.string().default("");

/** `{vendor: "openai", account?: "sk-…", files?, vector_stores?, responses?, conversations?, chat_completions?}`. */
const Seed = z.object({
  account: z.string().default(everyone),
  files: z
    .array(
      z.strictObject({
        id: z.string().optional(),
        filename: z.string(),
        purpose: z.string().default("user_data"),
        content,
      }),
    )
    .default([]),
  /** `files` are ids of files. */
  vector_stores: z
    .array(z.strictObject({ ...labelled, name: z.string(), files: z.array(z.string()).default([]) }))
    .default([]),
  responses: z
    .array(
      z.strictObject({ ...labelled, content, conversation: z.string().optional(), created_at: z.int().optional() }),
    )
    .default([]),
  /** Each item is a message's text. */
  conversations: z.array(z.strictObject({ ...labelled, items: z.array(z.string()).default([]) })).default([]),
  chat_completions: z.array(z.strictObject({ ...labelled, content })).default([]),
});

type Env = { Variables: { account: string } };
type Store = Thing & { files: string[] };
type Paging = { readonly limit: number; readonly most: number; readonly order: "asc" | "desc" };
const PAGES_OF_20: Paging = { limit: 20, most: 100, order: "desc" };

/**
 * OpenAI's stored objects, each read and deleted by id. Responses and conversations cannot be listed.
 *
 * Deleting a conversation leaves its items, which no call reaches then; deleting a file takes it out of every vector
 * store; deleting a vector store, or a file from one, leaves the file. A response goes by itself after 30 days unless a
 * conversation holds it.
 *
 * The shapes of deletions and lists are the specification's; messages of 404 are those seen from the live API, but
 * unconfirmed for chat completions, items, and files of a vector store, and so is `param` outside files.
 *
 * @see https://github.com/openai/openai-openapi
 * @see https://developers.openai.com/api/docs/guides/conversation-state and https://developers.openai.com/api/docs/guides/your-data
 * @see https://developers.openai.com/api/docs/guides/error-codes
 */
export const openai: MakeVendor = (world) => {
  const shelves = emptyShelves();
  const { files, vector_stores: stores, responses, conversations, conversation_items: items } = shelves;
  let calls = 0;
  const seconds = () => Math.floor(world.now() / 1000);
  const expire = () => {
    for (const [id, response] of Object.entries(responses.shown())) {
      const { created_at, conversation, account = everyone } = fieldsOf(response);
      const old = seconds() - Number(created_at) >= RESPONSE_KEPT_SECONDS;
      if (old && conversation === null) responses.remove(String(account), id);
    }
  };

  const app = new Hono<Env>();
  app.use(async (c, next) => {
    calls += 1;
    c.header("x-request-id", `req_${String(calls).padStart(8, "0")}`);
    const key = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (key === undefined) throw refused(401, { message: "You didn't provide an API key." });
    if (!key.startsWith("sk-")) throw refused(401, badKey(key));
    c.set("account", key);
    expire();
    await next();
  });
  app.notFound((c) => openaiError(404, { message: `Invalid URL (${c.req.method} ${c.req.path})` }));
  const api = app.basePath("/v1");

  /** Reading and deleting by id, which all kinds have alike. */
  const byId = <T extends Thing>(
    kind: Shelf<T>,
    path: string,
    words: { deleted: string; missing(id: string): OpenaiError },
    shown: (thing: T) => Thing = (thing) => thing,
  ) => {
    const find = (c: Context<Env>): T => {
      const id = c.req.param("id") ?? "";
      const thing = kind.get(c.get("account"), id);
      if (thing) return thing;
      throw refused(404, words.missing(id));
    };
    api.get(`${path}/:id`, (c) => c.json(shown(find(c))));
    api.delete(`${path}/:id`, (c) => {
      const { id } = find(c);
      kind.remove(c.get("account"), id);
      if (path === "/files") for (const store of stores.list(c.get("account"))) takeOut(store, id);
      return c.json({ id, object: words.deleted, deleted: true });
    });
    return find;
  };
  const named = (what: string) => (id: string) => ({ message: `${what} with id '${id}' not found.` });

  byId(
    files,
    "/files",
    { deleted: "file", missing: (id) => ({ message: `No such File object: ${id}`, param: "id" }) },
    fileWire,
  );
  api.get("/files", (c) => {
    const purpose = c.req.query("purpose");
    const some = files.list(c.get("account")).filter((file) => purpose === undefined || file.purpose === purpose);
    return list(c, some.map(fileWire), { limit: 10_000, most: 10_000, order: "desc" });
  });

  const missingStore = (id: string) => ({ message: `No vector store found with id '${id}'.` });
  const storeOf = byId(stores, "/vector_stores", { deleted: "vector_store.deleted", missing: missingStore }, storeWire);
  api.get("/vector_stores", (c) => list(c, stores.list(c.get("account")).map(storeWire), PAGES_OF_20));
  api.get("/vector_stores/:id/files", (c) => {
    const store = storeOf(c);
    return list(
      c,
      store.files.map((file) => storeFileWire(store, file)),
      PAGES_OF_20,
    );
  });
  api.on(["GET", "DELETE"], "/vector_stores/:id/files/:file", (c) => {
    const [store, file] = [storeOf(c), c.req.param("file")];
    if (!store.files.includes(file))
      throw refused(404, { message: `No file found with id '${file}' in vector store.` });
    if (c.req.method === "GET") return c.json(storeFileWire(store, file));
    takeOut(store, file);
    return c.json({ id: file, object: "vector_store.file.deleted", deleted: true });
  });

  byId(responses, "/responses", { deleted: "response", missing: named("Response") });
  const completionWords = { deleted: "chat.completion.deleted", missing: named("Chat completion") };
  byId(shelves.chat_completions, "/chat/completions", completionWords);
  api.get("/chat/completions", (c) => {
    const labels = Object.entries(c.req.query()).map(([name, value]) => [/^metadata\[(.+)\]$/.exec(name)?.[1], value]);
    const fits = ({ metadata }: Thing) =>
      labels.every(([label, value]) => label === undefined || fieldsOf(metadata)[label] === value);
    return list(c, shelves.chat_completions.list(c.get("account")).filter(fits), { ...PAGES_OF_20, order: "asc" });
  });

  const conversationWords = { deleted: "conversation.deleted", missing: named("Conversation") };
  const conversationOf = byId(conversations, "/conversations", conversationWords);
  const itemsOf = (c: Context<Env>) => {
    const { id } = conversationOf(c);
    return items.list(c.get("account")).filter(({ conversation_id }) => conversation_id === id);
  };
  api.get("/conversations/:id/items", (c) => list(c, itemsOf(c).map(itemWire), PAGES_OF_20));
  // Deleting an item answers with the conversation, not with a deletion.
  api.on(["GET", "DELETE"], "/conversations/:id/items/:item", (c) => {
    const item = itemsOf(c).find(({ id }) => id === c.req.param("item"));
    if (!item) throw refused(404, named("Item")(c.req.param("item")));
    if (c.req.method === "GET") return c.json(itemWire(item));
    items.remove(c.get("account"), item.id);
    return c.json(conversationOf(c));
  });

  return {
    id: "openai",
    about: "api.openai.com and its regions",
    serves: (host) => host === "api.openai.com" || host.endsWith(".api.openai.com"),
    call: async (request) => app.fetch(request),
    refuse: openaiRefusal,
    seed: (body) => plant(shelves, Seed.parse(body), seconds()),
    holdings() {
      expire();
      return Object.fromEntries(Object.entries(shelves).map(([kind, held]) => [kind, held.shown()]));
    },
    reset() {
      for (const held of Object.values(shelves)) held.clear();
    },
  };
};

function emptyShelves() {
  return {
    files: shelf(),
    vector_stores: shelf<Store>(),
    responses: shelf(),
    conversations: shelf(),
    conversation_items: shelf(),
    chat_completions: shelf(),
  };
}

/** Puts the objects on the shelves, texts and contents included; returns their ids by kind. */
function plant(shelves: ReturnType<typeof emptyShelves>, { account, ...seed }: z.infer<typeof Seed>, now: number) {
  const put = <T extends Thing>(kind: Shelf<T>, thing: T) => kind.put(account, thing).id;
  const message = (id: string, text: string) => {
    const output = [{ type: "output_text", text, annotations: [] }];
    return { id, type: "message", role: "assistant", status: "completed", content: output };
  };
  const files = seed.files.map((file) => {
    const id = file.id ?? derivedId("file-", account, file.filename);
    const about = { object: "file", bytes: file.content.length, created_at: now, status: "processed" };
    return put(shelves.files, { ...file, ...about, id });
  });
  const vector_stores = seed.vector_stores.map((store) => {
    const id = store.id ?? derivedId("vs_", account, store.name);
    return put(shelves.vector_stores, { ...store, id, object: "vector_store", created_at: now });
  });
  const responses = seed.responses.map(({ content: text, conversation, created_at = now, ...response }) => {
    const id = response.id ?? derivedId("resp_", account, text);
    const told = { error: null, incomplete_details: null, instructions: null, parallel_tool_calls: true };
    const output = [message(derivedId("msg_", id), text)];
    const held = { conversation: conversation === undefined ? null : { id: conversation } };
    const about = { object: "response", created_at, status: "completed", model: "gpt-5", ...told };
    return put(shelves.responses, { ...response, ...about, ...held, id, output });
  });
  const conversations = seed.conversations.map(({ items, ...conversation }) => {
    const id = conversation.id ?? derivedId("conv_", account, ...items);
    for (const [nth, text] of items.entries())
      put(shelves.conversation_items, { ...message(derivedId("msg_", id, nth), text), conversation_id: id });
    return put(shelves.conversations, { ...conversation, id, object: "conversation", created_at: now });
  });
  const chat_completions = seed.chat_completions.map(({ content: text, ...completion }) => {
    const id = completion.id ?? derivedId("chatcmpl-", account, text);
    const said = { role: "assistant", content: text, refusal: null };
    const choices = [{ index: 0, finish_reason: "stop", logprobs: null, message: said }];
    const about = { object: "chat.completion", created: now, model: "gpt-5" };
    return put(shelves.chat_completions, { ...completion, ...about, id, choices });
  });
  return { files, vector_stores, responses, conversations, chat_completions };
}

function takeOut(store: Store, file: string): void {
  store.files = store.files.filter((one) => one !== file);
}

/** Newest first unless the endpoint's default, or `order`, says otherwise; what was put later is newer. */
function list(c: Context, oldestFirst: readonly Thing[], { limit: usual, most, order }: Paging): Response {
  const limit = Number(c.req.query("limit") ?? usual);
  if (!Number.isInteger(limit) || limit < 1 || limit > most)
    throw refused(400, { message: `Invalid 'limit': expected an integer from 1 to ${most}.`, param: "limit" });
  const ordered = (c.req.query("order") ?? order) === "asc" ? oldestFirst : oldestFirst.toReversed();
  const after = c.req.query("after");
  const shown = page(ordered, after, limit);
  if (!shown) throw refused(400, { message: `No object found with id '${after}'.`, param: "after" });
  const [first_id, last_id] = [shown.data[0]?.id ?? null, shown.data.at(-1)?.id ?? null];
  return c.json({ object: "list", data: shown.data, first_id, last_id, has_more: shown.hasMore });
}

/** As the API shows a file: without its content. */
function fileWire({ content: _, ...file }: Thing): Thing {
  return { ...file, id: String(file.id) };
}

function itemWire({ conversation_id: _, ...item }: Thing): Thing {
  return { ...item, id: String(item.id) };
}

function storeWire({ files, ...store }: Store): Thing {
  const counts = { in_progress: 0, completed: files.length, failed: 0, cancelled: 0, total: files.length };
  const about = { usage_bytes: 0, status: "completed", last_active_at: store.created_at ?? null };
  return { ...store, ...about, id: String(store.id), file_counts: counts };
}

function storeFileWire({ id, created_at = null }: Store, file: string): Thing {
  const about = { object: "vector_store.file", usage_bytes: 0, status: "completed", last_error: null };
  return { ...about, id: file, created_at, vector_store_id: id };
}

type OpenaiError = { message: string; param?: string; code?: string; type?: string };

function refused(status: 400 | 401 | 404, error: OpenaiError): HTTPException {
  return new HTTPException(status, { res: openaiError(status, error) });
}

function openaiError(status: number, { message, type = "invalid_request_error", param, code }: OpenaiError): Response {
  return Response.json({ error: { message, type, param: param ?? null, code: code ?? null } }, { status });
}

function badKey(key: string): OpenaiError {
  const where = "You can find your API key at https://platform.openai.com/account/api-keys.";
  return { message: `Incorrect API key provided: ${key.slice(0, 3)}***. ${where}`, code: "invalid_api_key" };
}

function openaiRefusal({ reason, status }: Refusal): Response {
  if (reason === "unauthorized") return openaiError(status, badKey("sk-"));
  if (reason === "rate_limited")
    return openaiError(status, {
      message: "Rate limit reached for requests. Please try again later.",
      type: "requests",
      code: "rate_limit_exceeded",
    });
  const message = "The server had an error while processing your request. Sorry about that!";
  return openaiError(status, { message, type: "server_error" });
}
