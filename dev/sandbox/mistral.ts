import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { derivedId, everyone, type Shelf, shelf, type Thing } from "./shelf.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const content = z.string().default("");
const one = z.strictObject({ id: z.string().optional(), content });

/** `{vendor: "mistral", account?: "<API key>", files?, conversations?, batch_jobs?, agents?, voices?, libraries?}`. */
const Seed = z.object({
  account: z.string().default(everyone),
  files: z.array(one).default([]),
  conversations: z.array(one).default([]),
  batch_jobs: z.array(one).default([]),
  agents: z.array(one).default([]),
  voices: z.array(one).default([]),
  libraries: z
    .array(z.strictObject({ id: z.string().optional(), name: z.string(), documents: z.array(one).default([]) }))
    .default([]),
});

type Kind = Exclude<keyof z.infer<typeof Seed>, "account"> | "documents";

/** Where each kind stands, and what a deletion answers: a body with 200, or 204. */
const KINDS: Readonly<Record<Exclude<Kind, "documents">, { path: string; deleted?: (thing: Thing) => Thing }>> = {
  files: { path: "/files", deleted: ({ id }) => ({ id, object: "file", deleted: true }) },
  conversations: { path: "/conversations" },
  batch_jobs: { path: "/batch/jobs", deleted: ({ id }) => ({ id, object: "batch", deleted: true }) },
  agents: { path: "/agents" },
  voices: { path: "/audio/voices", deleted: (voice) => voice },
  libraries: { path: "/libraries", deleted: (library) => library },
};

type Env = { Variables: { account: string } };

/**
 * Mistral's stored objects, each read and deleted by id; a library goes with its documents. A deleted library is still
 * answered with itself, as today.
 *
 * Unconfirmed: the words of 404, and that a batch job is gone as soon as its deletion was asked for.
 *
 * @see https://docs.mistral.ai/api and https://github.com/mistralai/platform-docs-public
 */
export const mistral: MakeVendor = () => {
  const shelves: Readonly<Record<Kind, Shelf>> = {
    files: shelf(),
    conversations: shelf(),
    batch_jobs: shelf(),
    agents: shelf(),
    voices: shelf(),
    libraries: shelf(),
    documents: shelf(),
  };

  const app = new Hono<Env>();
  app.use(async (c, next) => {
    const key = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    if (key === undefined) throw new HTTPException(401, { res: mistralError(401, "Unauthorized") });
    c.set("account", key);
    await next();
  });
  app.notFound(() => mistralError(404, "no Route matched with those values"));
  const api = app.basePath("/v1");

  const find = (kind: Kind, c: Context<Env>, name: string, library?: string): Thing => {
    const thing = shelves[kind].get(c.get("account"), c.req.param(name) ?? "");
    if (thing && (library === undefined || thing.library_id === library)) return thing;
    throw new HTTPException(404, { res: mistralError(404, "Not found") });
  };
  api.get("/files", (c) => {
    const files = shelves.files.list(c.get("account")).map(shown);
    return c.json({ object: "list", data: files, total: files.length });
  });
  for (const [name, { path, deleted }] of Object.entries(KINDS)) {
    // The keys of KINDS are kinds; Object.entries does not say so.
    const kind = name as Kind;
    api.get(`${path}/:id`, (c) => c.json(shown(find(kind, c, "id"))));
    api.delete(`${path}/:id`, (c) => {
      const thing = find(kind, c, "id");
      shelves[kind].remove(c.get("account"), thing.id);
      if (kind === "libraries")
        for (const { id, library_id } of shelves.documents.list(c.get("account")))
          if (library_id === thing.id) shelves.documents.remove(c.get("account"), id);
      return deleted === undefined ? c.body(null, 204) : c.json(deleted(shown(thing)));
    });
  }
  api.get("/libraries/:id/documents/:document", (c) =>
    c.json(shown(find("documents", c, "document", c.req.param("id")))),
  );
  api.delete("/libraries/:id/documents/:document", (c) => {
    shelves.documents.remove(c.get("account"), find("documents", c, "document", c.req.param("id")).id);
    return c.body(null, 204);
  });

  return {
    id: "mistral",
    about: "api.mistral.ai",
    serves: (host) => host === "api.mistral.ai",
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => mistralError(status, WORDS[reason]),
    seed(body) {
      const { account, libraries, ...seed } = Seed.parse(body);
      const put = (kind: Kind, thing: { id?: string | undefined; content: string }, more: object = {}) => {
        const id = thing.id ?? derivedId("", kind, account, thing.content);
        return shelves[kind].put(account, { content: thing.content, ...more, id }).id;
      };
      const planted: Record<string, Json> = {};
      for (const [kind, things] of Object.entries(seed))
        planted[kind] = things.map((thing) => put(kind as Kind, thing));
      planted.libraries = libraries.map(({ id = derivedId("", account), name, documents }) => {
        for (const document of documents) put("documents", document, { library_id: id });
        return shelves.libraries.put(account, { id, name, nb_documents: documents.length }).id;
      });
      return planted;
    },
    holdings: () => Object.fromEntries(Object.entries(shelves).map(([kind, held]) => [kind, held.shown()])),
    reset() {
      for (const held of Object.values(shelves)) held.clear();
    },
  };
};

/** As the API shows an object: without its content. */
function shown({ content: _, ...thing }: Thing): Thing {
  return { ...thing, id: String(thing.id) };
}

const WORDS: Readonly<Record<Refusal["reason"], string>> = {
  unauthorized: "Unauthorized",
  rate_limited: "Requests rate limit exceeded",
  server_error: "Service unavailable.",
};

const mistralError = (status: number, message: string): Response =>
  Response.json({ object: "error", message, type: "error", param: null, code: null }, { status });
