import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { derivedId, everyone, fieldsOf, page, type Shelf, shelf, type Thing } from "./shelf.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

/** What the requests that run need to come to their end after a batch is cancelled, and a batch that nobody cancels. */
const CANCELING_SECONDS = 60;
const BATCH_SECONDS = 3600;

const AGENTS = "managed-agents-2026-04-01";
const MEMORY = "agent-memory-2026-07-22";

const named = { id: z.string().optional() };
const content = z.string().default("");

/**
 * `{vendor: "anthropic", account?: "sk-ant-…", files?, message_batches?, skills?, sessions?, vaults?, memory_stores?}`; the
 * account stands for the key's workspace.
 */
const Seed = z.object({
  account: z.string().default(everyone),
  files: z.array(z.strictObject({ ...named, filename: z.string(), content })).default([]),
  message_batches: z
    .array(z.strictObject({ ...named, content, processing_status: z.enum(["in_progress", "ended"]).default("ended") }))
    .default([]),
  /** Each version is the text of its SKILL.md. */
  skills: z.array(z.strictObject({ ...named, display_title: z.string(), versions: z.array(z.string()) })).default([]),
  /** Each event is a message's text. */
  sessions: z
    .array(
      z.strictObject({
        ...named,
        status: z.enum(["idle", "running", "rescheduling", "terminated"]).default("idle"),
        events: z.array(z.string()).default([]),
      }),
    )
    .default([]),
  /** Each credential is the address of the server that it is for. */
  vaults: z
    .array(z.strictObject({ ...named, display_name: z.string(), credentials: z.array(z.string()).default([]) }))
    .default([]),
  /** Each memory is its texts over time; the last is the one that shows. */
  memory_stores: z
    .array(
      z.strictObject({
        ...named,
        name: z.string(),
        memories: z
          .array(z.strictObject({ ...named, path: z.string(), versions: z.array(z.string()).min(1) }))
          .default([]),
      }),
    )
    .default([]),
});

type Env = { Variables: { account: string } };

/**
 * Anthropic's stored objects, each read and deleted by id. A batch has to end before it can be deleted, a session must not
 * run; deleting a vault takes its credentials, deleting a memory store its memories and their versions; deleting a memory
 * leaves its versions and adds one, with its path, until each is redacted.
 *
 * Unconfirmed: the status of a deletion that comes too early (400 here), and of a skill that has versions (400 here).
 *
 * @see https://platform.claude.com/docs/en/api and https://github.com/anthropics/anthropic-sdk-typescript
 */
export const anthropic: MakeVendor = (world) => {
  const shelves = emptyShelves();
  const { files, message_batches: batches, skills, skill_versions: skillVersions, sessions } = shelves;
  const { vaults, credentials, memory_stores: stores, memories, memory_versions: versions } = shelves;
  const time = (ms = world.now()) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
  const settle = () => {
    for (const held of Object.values(batches.shown())) {
      const { id, account = everyone, ends_at } = fieldsOf(held);
      const batch = batches.get(String(account), String(id));
      if (batch && typeof ends_at === "number" && world.now() >= ends_at) {
        batch.processing_status = "ended";
        batch.ended_at = time(ends_at);
        delete batch.ends_at;
      }
    }
  };

  const app = new Hono<Env>();
  app.use(async (c, next) => {
    const key = c.req.header("x-api-key");
    if (key === undefined || !key.startsWith("sk-ant-"))
      throw refused(401, "authentication_error", "invalid x-api-key");
    if (!/^\d{4}-\d{2}-\d{2}$/.test(c.req.header("anthropic-version") ?? ""))
      throw refused(400, "invalid_request_error", "anthropic-version: header is required");
    c.set("account", key);
    settle();
    await next();
  });
  app.notFound(() => anthropicError(404, "not_found_error", "Not found"));
  const api = app.basePath("/v1");
  const needs = (...betas: readonly string[]) => {
    const needed = async (c: Context<Env>, next: () => Promise<void>) => {
      const sent = (c.req.header("anthropic-beta") ?? "").split(",").map((beta) => beta.trim());
      if (!betas.some((beta) => sent.includes(beta)))
        throw refused(400, "invalid_request_error", `this API is in beta: add \`anthropic-beta: ${betas[0]}\``);
      await next();
    };
    return needed;
  };
  for (const path of ["/sessions/*", "/vaults/*"]) api.use(path, needs(AGENTS));
  api.use("/memory_stores/*", needs(MEMORY, AGENTS));

  const find = <T extends Thing>(
    kind: Shelf<T>,
    c: Context<Env>,
    name: string,
    within?: readonly [string, string],
  ): T => {
    const thing = kind.get(c.get("account"), c.req.param(name) ?? "");
    const isWithin = within === undefined || thing?.[within[0]] === c.req.param(within[1]);
    if (thing && isWithin) return thing;
    throw refused(404, "not_found_error", "The requested resource could not be found");
  };
  /** Objects of a kind that stand within another, oldest first. */
  const inside = (kind: Shelf, c: Context<Env>, field: string, id: string) =>
    kind.list(c.get("account")).filter((thing) => thing[field] === id);
  const removeAll = (kind: Shelf, c: Context<Env>, field: string, id: string) => {
    for (const thing of inside(kind, c, field, id)) kind.remove(c.get("account"), thing.id);
  };
  const gone = (c: Context<Env>, kind: Shelf, id: string, type: string) => {
    kind.remove(c.get("account"), id);
    return c.json({ id, type });
  };

  api.get("/files", (c) => list(c, files.list(c.get("account")).map(shown)));
  api.get("/files/:id", (c) => c.json(shown(find(files, c, "id"))));
  api.delete("/files/:id", (c) => gone(c, files, find(files, c, "id").id, "file_deleted"));

  api.get("/messages/batches/:id", (c) => c.json(shown(find(batches, c, "id"))));
  api.post("/messages/batches/:id/cancel", (c) => {
    const batch = find(batches, c, "id");
    if (batch.processing_status === "in_progress") {
      batch.processing_status = "canceling";
      batch.cancel_initiated_at = time();
      batch.ends_at = world.now() + CANCELING_SECONDS * 1000;
    }
    return c.json(shown(batch));
  });
  api.delete("/messages/batches/:id", (c) => {
    const { id, processing_status } = find(batches, c, "id");
    if (processing_status !== "ended")
      throw refused(400, "invalid_request_error", "A batch that has not ended cannot be deleted");
    return gone(c, batches, id, "message_batch_deleted");
  });

  api.get("/skills/:id", (c) => c.json(find(skills, c, "id")));
  api.get("/skills/:id/versions", (c) => list(c, inside(skillVersions, c, "skill_id", find(skills, c, "id").id)));
  api.delete("/skills/:id/versions/:version", (c) =>
    gone(c, skillVersions, find(skillVersions, c, "version", ["skill_id", "id"]).id, "skill_version_deleted"),
  );
  api.delete("/skills/:id", (c) => {
    const { id } = find(skills, c, "id");
    if (inside(skillVersions, c, "skill_id", id).length > 0)
      throw refused(400, "invalid_request_error", "Cannot delete a skill that has versions");
    return gone(c, skills, id, "skill_deleted");
  });

  api.get("/sessions/:id", (c) => c.json(shown(find(sessions, c, "id"))));
  api.post("/sessions/:id/events", async (c) => {
    const session = find(sessions, c, "id");
    const sent = z
      .object({ events: z.array(z.looseObject({ type: z.string() })).min(1) })
      .safeParse(await c.req.json().catch(() => undefined));
    if (!sent.success) throw refused(400, "invalid_request_error", "events: field required");
    if (sent.data.events.some(({ type }) => type === "user.interrupt") && session.status !== "terminated")
      session.status = "idle";
    return c.json({ data: sent.data.events.map(({ type }) => ({ type, processed_at: null })) });
  });
  api.delete("/sessions/:id", (c) => {
    const { id, status } = find(sessions, c, "id");
    if (status === "running")
      throw refused(400, "invalid_request_error", "A running session cannot be deleted; send an interrupt first");
    return gone(c, sessions, id, "session_deleted");
  });

  api.get("/vaults/:id", (c) => c.json(find(vaults, c, "id")));
  api.delete("/vaults/:id", (c) => {
    const { id } = find(vaults, c, "id");
    removeAll(credentials, c, "vault_id", id);
    return gone(c, vaults, id, "vault_deleted");
  });
  api.get("/vaults/:id/credentials/:credential", (c) => c.json(find(credentials, c, "credential", ["vault_id", "id"])));
  api.delete("/vaults/:id/credentials/:credential", (c) =>
    gone(c, credentials, find(credentials, c, "credential", ["vault_id", "id"]).id, "vault_credential_deleted"),
  );

  const WITHIN = ["memory_store_id", "id"] as const;
  api.get("/memory_stores/:id", (c) => c.json(find(stores, c, "id")));
  api.delete("/memory_stores/:id", (c) => {
    const { id } = find(stores, c, "id");
    for (const kind of [memories, versions]) removeAll(kind, c, "memory_store_id", id);
    return gone(c, stores, id, "memory_store_deleted");
  });
  api.get("/memory_stores/:id/memories/:memory", (c) => c.json(find(memories, c, "memory", WITHIN)));
  api.delete("/memory_stores/:id/memories/:memory", (c) => {
    const { id, path, memory_store_id } = find(memories, c, "memory", WITHIN);
    const about = {
      type: "memory_version",
      created_at: time(),
      operation: "deleted",
      content: null,
      redacted_at: null,
    };
    const version = derivedId("memver_", id, "deleted");
    versions.put(c.get("account"), {
      ...about,
      id: version,
      memory_id: id,
      memory_store_id: memory_store_id ?? null,
      path: path ?? null,
    });
    return gone(c, memories, id, "memory_deleted");
  });
  api.get("/memory_stores/:id/memory_versions", (c) => {
    const of = c.req.query("memory_id");
    const all = inside(versions, c, "memory_store_id", find(stores, c, "id").id);
    return list(c, all.filter(({ memory_id }) => of === undefined || memory_id === of).map(basic));
  });
  api.post("/memory_stores/:id/memory_versions/:version/redact", (c) => {
    const version = find(versions, c, "version", WITHIN);
    const head = memories.get(c.get("account"), String(version.memory_id));
    if (head?.memory_version_id === version.id)
      throw refused(400, "invalid_request_error", "The current version of a memory cannot be redacted");
    Object.assign(version, { content: null, path: null, redacted_at: time() });
    return c.json(version);
  });

  return {
    id: "anthropic",
    about: "api.anthropic.com",
    serves: (host) => host === "api.anthropic.com",
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => anthropicError(status, ...WORDS[reason]),
    seed: (body) => plant(shelves, Seed.parse(body), world.now(), time()),
    holdings() {
      settle();
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
    message_batches: shelf(),
    skills: shelf(),
    skill_versions: shelf(),
    sessions: shelf(),
    vaults: shelf(),
    credentials: shelf(),
    memory_stores: shelf(),
    memories: shelf(),
    memory_versions: shelf(),
  };
}

/** Puts the objects on the shelves, texts and contents included; returns their ids by kind. */
function plant(
  shelves: ReturnType<typeof emptyShelves>,
  { account, ...seed }: z.infer<typeof Seed>,
  now: number,
  created_at: string,
): Json {
  const put = (kind: Shelf, thing: Thing) => kind.put(account, thing).id;
  const files = seed.files.map(({ id, ...file }) => {
    const about = { type: "file", mime_type: "text/plain", size_bytes: file.content.length, created_at };
    return put(shelves.files, { ...file, ...about, id: id ?? derivedId("file_", account, file.filename) });
  });
  const message_batches = seed.message_batches.map(({ id, ...batch }) => {
    const runs = batch.processing_status === "in_progress";
    const about = { type: "message_batch", created_at, ended_at: runs ? null : created_at };
    const ends = runs ? { ends_at: now + BATCH_SECONDS * 1000 } : {};
    const own = id ?? derivedId("msgbatch_", account, batch.content);
    return put(shelves.message_batches, { ...batch, ...about, ...ends, id: own });
  });
  const skills = seed.skills.map(({ id, display_title, versions }) => {
    const own = id ?? derivedId("skill_", account, display_title);
    for (const [nth, description] of versions.entries()) {
      const version = { type: "skill_version", created_at, description, skill_id: own };
      put(shelves.skill_versions, { ...version, id: derivedId("skillver_", own, nth) });
    }
    return put(shelves.skills, { id: own, type: "skill", display_title, source: "custom", created_at });
  });
  const sessions = seed.sessions.map(({ id, status, events }) =>
    put(shelves.sessions, {
      id: id ?? derivedId("sesn_", account, ...events),
      type: "session",
      status,
      events,
      created_at,
    }),
  );
  const vaults = seed.vaults.map(({ id, display_name, credentials }) => {
    const own = id ?? derivedId("vlt_", account, display_name);
    for (const server of credentials) {
      const auth = { type: "mcp_oauth", mcp_server_url: server };
      const credential = { type: "vault_credential", vault_id: own, auth, created_at };
      put(shelves.credentials, { ...credential, id: derivedId("vcrd_", own, server) });
    }
    return put(shelves.vaults, { id: own, type: "vault", display_name, created_at });
  });
  const memory_stores = seed.memory_stores.map(({ id, name, memories }) => {
    const store = id ?? derivedId("memstore_", account, name);
    for (const { id: given, path, versions } of memories) {
      const memory = given ?? derivedId("mem_", store, path);
      const ids = versions.map((text, nth) =>
        put(shelves.memory_versions, {
          id: derivedId("memver_", memory, nth),
          type: "memory_version",
          memory_id: memory,
          memory_store_id: store,
          operation: nth === 0 ? "created" : "modified",
          content: text,
          path,
          created_at,
          redacted_at: null,
        }),
      );
      const head = { memory_version_id: ids.at(-1) ?? null, content: versions.at(-1) ?? "" };
      put(shelves.memories, { ...head, id: memory, type: "memory", memory_store_id: store, path, created_at });
    }
    return put(shelves.memory_stores, { id: store, type: "memory_store", name, created_at });
  });
  return { files, message_batches, skills, sessions, vaults, memory_stores };
}

/** As the API shows an object: without what only a download or the list of its events gives, or what is the stand-in's own. */
function shown({ content: _, events: __, ends_at: ___, ...thing }: Thing): Thing {
  return { ...thing, id: String(thing.id) };
}

function basic({ content: _, ...version }: Thing): Thing {
  return { ...version, id: String(version.id) };
}

/** Newest first, with a cursor that is the last one's id. */
function list(c: Context, oldestFirst: readonly Thing[]): Response {
  const limit = Number(c.req.query("limit") ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100)
    throw refused(400, "invalid_request_error", "limit: expected an integer from 1 to 100");
  const found = page(oldestFirst.toReversed(), c.req.query("page"), limit);
  if (!found) throw refused(400, "invalid_request_error", "page: unknown cursor");
  return c.json({ data: found.data, next_page: found.hasMore ? (found.data.at(-1)?.id ?? null) : null });
}

const WORDS: Readonly<Record<Refusal["reason"], readonly [string, string]>> = {
  unauthorized: ["authentication_error", "invalid x-api-key"],
  rate_limited: ["rate_limit_error", "This request would exceed your organization's rate limit"],
  server_error: ["api_error", "Internal server error"],
};

const anthropicError = (status: number, type: string, message: string): Response =>
  Response.json({ type: "error", error: { type, message }, request_id: "req_1" }, { status });

const refused = (status: 400 | 401 | 404, type: string, message: string): HTTPException =>
  new HTTPException(status, { res: anthropicError(status, type, message) });
