import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { derivedId, everyone, page, type Shelf, shelf, type Thing } from "./shelf.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const HOSTS: Readonly<Record<string, string>> = {
  "api.elevenlabs.io": "GLOBAL",
  "api.us.elevenlabs.io": "US",
  "api.eu.residency.elevenlabs.io": "EU",
  "api.in.residency.elevenlabs.io": "IN",
};

const content = z.string().default("");
const one = z.strictObject({ id: z.string().optional(), content });

/** `{vendor: "elevenlabs", account?: "<API key>", residency?, voices?, history?, conversations?, …}`; a key lives in one place. */
const Seed = z.object({
  account: z.string().default(everyone),
  residency: z.enum(["GLOBAL", "US", "EU", "IN"]).default("GLOBAL"),
  voices: z.array(one).default([]),
  history: z.array(one).default([]),
  conversations: z.array(one.extend({ user_id: z.string().optional() })).default([]),
  knowledge_base: z.array(one).default([]),
  transcripts: z.array(one).default([]),
  dubbing: z.array(one).default([]),
  projects: z.array(one).default([]),
});

type Kind = Exclude<keyof z.infer<typeof Seed>, "account" | "residency">;

/** Where each kind stands, what its id is called, what is said of a missing one, and what a deletion answers. */
const KINDS: Readonly<Record<Kind, { path: string; id: string; missing: string; ok: Json }>> = {
  voices: { path: "/voices", id: "voice_id", missing: "voice_not_found", ok: { status: "ok" } },
  history: { path: "/history", id: "history_item_id", missing: "history_item_not_found", ok: { status: "ok" } },
  conversations: {
    path: "/convai/conversations",
    id: "conversation_id",
    missing: "conversation_not_found",
    ok: {},
  },
  knowledge_base: { path: "/convai/knowledge-base", id: "id", missing: "document_not_found", ok: {} },
  transcripts: {
    path: "/speech-to-text/transcripts",
    id: "transcription_id",
    missing: "transcript_not_found",
    ok: { message: "Delete completed successfully." },
  },
  dubbing: { path: "/dubbing", id: "dubbing_id", missing: "dubbing_not_found", ok: { status: "ok" } },
  projects: { path: "/studio/projects", id: "project_id", missing: "project_not_found", ok: { status: "ok" } },
};

type Env = { Variables: { account: string } };

/**
 * ElevenLabs' stored objects, each read and deleted by id; the calls of agents can be listed by user.
 *
 * Unconfirmed: the words of 404, and what a deletion answers where the description has no body (an empty object here).
 *
 * @see https://elevenlabs.io/docs/api-reference and https://github.com/elevenlabs/elevenlabs-js
 */
export const elevenlabs: MakeVendor = () => {
  const shelves = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, shelf()])) as Record<Kind, Shelf>;
  const places = new Map<string, string>();

  const app = new Hono<Env>();
  app.use(async (c, next) => {
    const key = c.req.header("xi-api-key");
    const residency = HOSTS[new URL(c.req.url).hostname];
    if (key === undefined || (places.get(key) ?? residency) !== residency)
      throw refused(401, "authentication_error", "invalid_api_key", "Invalid API key");
    c.set("account", key);
    await next();
  });
  app.notFound((c) => c.json({ detail: "Not Found" }, 404));
  const api = app.basePath("/v1");

  api.get(KINDS.conversations.path, (c) => {
    const user = c.req.query("user_id");
    const all = shelves.conversations
      .list(c.get("account"))
      .filter((call) => user === undefined || call.user_id === user);
    const limit = Number(c.req.query("page_size") ?? 30);
    const found = limit >= 1 && limit <= 100 ? page(all.toReversed(), c.req.query("cursor"), limit) : undefined;
    if (!found) throw refused(422, "validation_error", "invalid_parameters", "page_size or cursor");
    const next_cursor = found.hasMore ? (found.data.at(-1)?.id ?? null) : null;
    const conversations = found.data.map((call) => shown("conversations", call));
    return c.json({ conversations, has_more: found.hasMore, next_cursor });
  });
  app.get("/v2/voices", (c) => {
    const voices = shelves.voices.list(c.get("account")).map((voice) => shown("voices", voice));
    return c.json({ voices, has_more: false, total_count: voices.length, next_page_token: null });
  });
  // The keys of KINDS are all kinds; Object.keys does not say so.
  for (const kind of Object.keys(KINDS) as Kind[]) {
    const { path, missing, ok } = KINDS[kind];
    const find = (c: Context<Env>): Thing => {
      const thing = shelves[kind].get(c.get("account"), c.req.param("id") ?? "");
      if (thing) return thing;
      throw refused(404, "not_found", missing, "It was not found.");
    };
    api.get(`${path}/:id`, (c) => c.json(shown(kind, find(c))));
    api.delete(`${path}/:id`, (c) => {
      shelves[kind].remove(c.get("account"), find(c).id);
      return c.json(ok);
    });
  }

  return {
    id: "elevenlabs",
    about: Object.keys(HOSTS).join(", "),
    serves: (host) => Object.hasOwn(HOSTS, host),
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => elevenlabsError(status, ...WORDS[reason]),
    seed(body) {
      const { account, residency, ...seed } = Seed.parse(body);
      if (account !== everyone) places.set(account, residency);
      const planted = Object.entries(seed).map(([kind, things]) => [
        kind,
        things.map(({ id, ...thing }) => {
          const own = id ?? derivedId(`${kind}_`, account, thing.content);
          // As above; an optional member of a seed is left out where it is not there.
          return shelves[kind as Kind].put(account, { ...thing, id: own } as Thing).id;
        }),
      ]);
      return Object.fromEntries(planted);
    },
    holdings: () => Object.fromEntries(Object.entries(shelves).map(([kind, held]) => [kind, held.shown()])),
    reset() {
      places.clear();
      for (const held of Object.values(shelves)) held.clear();
    },
  };
};

/** As the API shows an object: by its own name of the id. */
function shown(kind: Kind, { id, ...thing }: Thing): { readonly [field: string]: Json } {
  return { ...thing, [KINDS[kind].id]: id };
}

const WORDS: Readonly<Record<Refusal["reason"], readonly [string, string, string]>> = {
  unauthorized: ["authentication_error", "invalid_api_key", "Invalid API key"],
  rate_limited: ["rate_limit_error", "too_many_concurrent_requests", "Too many requests"],
  server_error: ["internal_error", "internal_error", "Something went wrong"],
};

const elevenlabsError = (status: number, type: string, code: string, message: string): Response =>
  Response.json({ detail: { type, code, message, status: code } }, { status });

const refused = (status: 401 | 404 | 422, type: string, code: string, message: string): HTTPException =>
  new HTTPException(status, { res: elevenlabsError(status, type, code, message) });
