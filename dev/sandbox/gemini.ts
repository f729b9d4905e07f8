import { type Context, Hono } from "hono";
import { z } from "zod";
import { derivedId, everyone, fieldsOf, page, type Shelf, shelf, type Thing } from "./shelf.ts";
import type { MakeVendor, Refusal } from "./vendor.ts";

const FILE_KEPT_SECONDS = 48 * 3600;
const CACHE_KEPT_SECONDS = 3600;

/** `{vendor: "gemini", account?: "AIza…", files?, cached_contents?, file_search_stores?, tuned_models?, batches?, interactions?}`. */
const Seed = z.object({
  account: z.string().default(everyone),
  files: z.array(z.strictObject({ id: z.string().optional(), display_name: z.string() })).default([]),
  cached_contents: z
    .array(
      z.strictObject({
        id: z.string().optional(),
        display_name: z.string(),
        ttl_seconds: z.int().positive().optional(),
      }),
    )
    .default([]),
  /** `documents` are their display names. */
  file_search_stores: z
    .array(
      z.strictObject({
        id: z.string().optional(),
        display_name: z.string(),
        documents: z.array(z.string()).default([]),
      }),
    )
    .default([]),
  /** By name: what they were tuned on, or sent. */
  tuned_models: z.array(z.strictObject({ id: z.string(), examples: z.string().default("") })).default([]),
  batches: z.array(z.strictObject({ id: z.string(), requests: z.string().default("") })).default([]),
  interactions: z.array(z.strictObject({ id: z.string().optional(), output: z.string().default("") })).default([]),
});

type Env = { Variables: { account: string } };
type Status = "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "PERMISSION_DENIED" | "NOT_FOUND";

/**
 * The Gemini API's stored objects, each read and deleted by its name; interactions cannot be listed.
 *
 * A file goes by itself after 48 hours, a cached content after its time. A store that holds documents is deleted only with
 * `force`. What is not there is answered with 403 for files and cached contents, as seen from the live API, and with 404
 * elsewhere, which is unconfirmed.
 *
 * @see https://ai.google.dev/api/files, https://ai.google.dev/api/caching and https://ai.google.dev/gemini-api/docs/file-search
 * @see https://ai.google.dev/gemini-api/docs/troubleshooting
 */
export const gemini: MakeVendor = (world) => {
  const shelves = {
    files: shelf(),
    cached_contents: shelf(),
    file_search_stores: shelf(),
    documents: shelf(),
    tuned_models: shelf(),
    batches: shelf(),
    interactions: shelf(),
  };
  const seconds = () => Math.floor(world.now() / 1000);
  const expire = () => {
    for (const kind of [shelves.files, shelves.cached_contents])
      for (const [id, thing] of Object.entries(kind.shown())) {
        const { expirationTime, expireTime, account = everyone } = fieldsOf(thing);
        if (Date.parse(String(expirationTime ?? expireTime)) <= world.now()) kind.remove(String(account), id);
      }
  };

  const app = new Hono<Env>();
  app.use(async (c, next) => {
    const key = c.req.header("x-goog-api-key") ?? c.req.query("key");
    if (key === undefined) return refused(403, "PERMISSION_DENIED", UNREGISTERED);
    if (!/^[\w.-]{20,}$/.test(key)) return refused(400, "INVALID_ARGUMENT", NOT_VALID);
    c.set("account", key);
    expire();
    return next();
  });
  app.notFound(() => new Response("<html><title>Error 404 (Not Found)!!1</title></html>", { status: 404 }));
  const api = app.basePath("/v1beta");

  const documentsOf = (c: Context<Env>, store: string) =>
    shelves.documents.list(c.get("account")).filter(({ id }) => id.startsWith(`${store}/documents/`));

  const byName = (
    kind: Shelf,
    path: string,
    name: (c: Context<Env>) => string,
    missing: (name: string) => Response,
  ) => {
    api.on(["GET", "DELETE"], path, (c) => {
      const thing = kind.get(c.get("account"), name(c));
      if (thing === undefined) return missing(name(c));
      if (c.req.method === "GET") return c.json(wire(thing));
      const held = kind === shelves.file_search_stores ? documentsOf(c, thing.id) : [];
      if (held.length > 0 && c.req.query("force") !== "true")
        return refused(400, "FAILED_PRECONDITION", "Cannot delete non-empty FileSearchStore.");
      for (const { id } of held) shelves.documents.remove(c.get("account"), id);
      kind.remove(c.get("account"), thing.id);
      return c.json({});
    });
  };
  const last = (word: string) => (c: Context<Env>) => `${word}/${c.req.param("id") ?? ""}`;
  const unseen = () => refused(404, "NOT_FOUND", "Requested entity was not found.");
  const documentName = (c: Context<Env>) =>
    `fileSearchStores/${c.req.param("store") ?? ""}/documents/${c.req.param("id") ?? ""}`;

  byName(shelves.files, "/files/:id", last("files"), (name) =>
    refused(
      403,
      "PERMISSION_DENIED",
      `You do not have permission to access the File ${idIn(name)} or it may not exist.`,
    ),
  );
  byName(shelves.cached_contents, "/cachedContents/:id", last("cachedContents"), () =>
    refused(403, "PERMISSION_DENIED", "CachedContent not found (or permission denied)"),
  );
  byName(shelves.file_search_stores, "/fileSearchStores/:id", last("fileSearchStores"), unseen);
  byName(shelves.documents, "/fileSearchStores/:store/documents/:id", documentName, unseen);
  byName(shelves.tuned_models, "/tunedModels/:id", last("tunedModels"), unseen);
  byName(shelves.batches, "/batches/:id", last("batches"), unseen);
  byName(shelves.interactions, "/interactions/:id", last("interactions"), unseen);

  api.get("/files", (c) => list(c, "files", shelves.files.list(c.get("account"))));
  api.get("/cachedContents", (c) => list(c, "cachedContents", shelves.cached_contents.list(c.get("account"))));
  api.get("/fileSearchStores", (c) => list(c, "fileSearchStores", shelves.file_search_stores.list(c.get("account"))));
  api.get("/fileSearchStores/:store/documents", (c) =>
    list(c, "documents", documentsOf(c, `fileSearchStores/${c.req.param("store")}`)),
  );

  return {
    id: "gemini",
    about: "generativelanguage.googleapis.com",
    serves: (host) => host === "generativelanguage.googleapis.com",
    call: async (request) => app.fetch(request),
    refuse: geminiRefusal,
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

type Shelves = Readonly<
  Record<
    "files" | "cached_contents" | "file_search_stores" | "documents" | "tuned_models" | "batches" | "interactions",
    Shelf
  >
>;

/** Puts the objects on the shelves by their names; returns those by kind. */
function plant(shelves: Shelves, { account, ...seed }: z.infer<typeof Seed>, now: number) {
  const at = (later: number) => new Date((now + later) * 1000).toISOString();
  const put = (kind: Shelf, thing: Thing) => kind.put(account, thing).id;
  const files = seed.files.map(({ id, display_name }) => {
    const name = `files/${id ?? derivedId("", account, display_name)}`;
    const about = { state: "ACTIVE", createTime: at(0), expirationTime: at(FILE_KEPT_SECONDS) };
    return put(shelves.files, { id: name, name, displayName: display_name, ...about });
  });
  const cached_contents = seed.cached_contents.map(({ id, display_name, ttl_seconds = CACHE_KEPT_SECONDS }) => {
    const name = `cachedContents/${id ?? derivedId("", account, display_name)}`;
    const about = { model: "models/gemini-3.5-flash", createTime: at(0), expireTime: at(ttl_seconds) };
    return put(shelves.cached_contents, { id: name, name, displayName: display_name, ...about });
  });
  const file_search_stores = seed.file_search_stores.map(({ id, display_name, documents }) => {
    const name = `fileSearchStores/${id ?? derivedId("", account, display_name)}`;
    for (const document of documents) {
      const its = `${name}/documents/${document}`;
      put(shelves.documents, { id: its, name: its, displayName: document, state: "STATE_ACTIVE", createTime: at(0) });
    }
    return put(shelves.file_search_stores, { id: name, name, displayName: display_name, createTime: at(0) });
  });
  const tuned_models = seed.tuned_models.map(({ id, examples }) => {
    const name = `tunedModels/${id}`;
    return put(shelves.tuned_models, { id: name, name, displayName: examples, state: "ACTIVE", createTime: at(0) });
  });
  const batches = seed.batches.map(({ id, requests }) => {
    const name = `batches/${id}`;
    return put(shelves.batches, {
      id: name,
      name,
      metadata: { displayName: requests, state: "BATCH_STATE_SUCCEEDED" },
    });
  });
  const interactions = seed.interactions.map(({ id, output }) => {
    const own = id ?? derivedId("v1_", account, output);
    const step = { type: "model_output", content: [{ type: "text", text: output }] };
    return put(shelves.interactions, { id: `interactions/${own}`, status: "completed", steps: [step] });
  });
  return { files, cached_contents, file_search_stores, tuned_models, batches, interactions };
}

/** An interaction is shown by its bare id; all others have a name. */
const wire = ({ id, ...thing }: Thing) => ("name" in thing ? thing : { id: idIn(id), ...thing });

const idIn = (name: string): string => name.split("/").at(-1) ?? name;

/** An empty list is an empty object. */
function list(c: Context<Env>, word: string, things: readonly Thing[]): Response {
  const size = Number(c.req.query("pageSize") ?? 10);
  const shown = page(things, c.req.query("pageToken"), size);
  if (shown === undefined) return refused(400, "INVALID_ARGUMENT", "Invalid page token.");
  return c.json({
    ...(shown.data.length > 0 && { [word]: shown.data.map(wire) }),
    ...(shown.hasMore && { nextPageToken: shown.data.at(-1)?.id }),
  });
}

const UNREGISTERED =
  "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.";
const NOT_VALID = "API key not valid. Please pass a valid API key.";

const refused = (status: 400 | 403 | 404, code: Status, message: string): Response => answer(status, code, message);

const answer = (status: number, code: string, message: string): Response =>
  Response.json({ error: { code: status, message, status: code } }, { status });

function geminiRefusal({ reason, status }: Refusal): Response {
  if (reason === "unauthorized")
    return answer(status, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
  if (reason === "rate_limited") return answer(status, "RESOURCE_EXHAUSTED", "Resource has been exhausted.");
  return answer(status, "INTERNAL", "An internal error has occurred.");
}
