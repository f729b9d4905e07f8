import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer, rfc6749 } from "./authorization-server.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const HOST = "api.typeform.com";

const Response_ = z.strictObject({
  id: z.string(),
  email: z.string().optional(),
  text: z.string().optional(),
  hidden: z.record(z.string(), z.string()).default({}),
});
/**
 * `{vendor: "typeform", forms: {"<form id>": [{id, email?, text?, hidden?}]}}`. Whoever signs in is the user whose id they give;
 * `{vendor: "typeform", end: "01AR…"}`: that user removes the app.
 */
const Ended = z.strictObject({ vendor: z.string(), end: z.string() });
const Seed = z.object({
  forms: z.record(z.string(), z.array(Response_)),
  /** By form: what is told of new answers there. */
  webhooks: z.record(z.string(), z.array(z.strictObject({ tag: z.string(), url: z.url() }))).default({}),
});
type Webhook = { readonly tag: string; readonly url: string };
type Held = z.infer<typeof Response_>;

/** "Deletion is not immediate." */
const DELETION_MS = 900_000;

/**
 * Typeform's forms and what was answered to them: searched as text, and deleted by id, a while later. And what people have granted to
 * an application, which only they themselves can take back; there is a refresh token where `offline` was asked for.
 *
 * @see https://www.typeform.com/developers/responses/
 */
export const typeform: MakeVendor = (world) => {
  const forms = new Map<string, Held[]>();
  const webhooks = new Map<string, readonly Webhook[]>();
  let doomed: { readonly at: number; readonly form: string; readonly ids: readonly string[] }[] = [];

  const settle = () => {
    for (const { form, ids } of doomed.filter(({ at }) => world.now() >= at + DELETION_MS))
      forms.set(
        form,
        (forms.get(form) ?? []).filter(({ id }) => !ids.includes(id)),
      );
    doomed = doomed.filter(({ at }) => world.now() < at + DELETION_MS);
  };
  const idsIn = (query: string | undefined) => query?.split(",").filter((id) => id !== "");

  const server = authorizationServer({
    now: world.now,
    by: "post",
    pkce: "ignored",
    expiresIn: 604_800,
    refresh: "rotated",
    kills: "grant",
    answer: (issued) => {
      const { refreshToken, ...rest } = issued;
      return Response.json(rfc6749(issued.scopes.includes("offline") ? issued : rest));
    },
  });
  const app = new Hono();
  app.all("/oauth/authorize", (c) => server.authorize(c.req.raw));
  app.post("/oauth/token", (c) => server.token(c.req.raw));
  app.notFound(() => typeformError(404, "FORM_NOT_FOUND"));
  app.use(async (c, next) =>
    /^Bearer .+/.test(c.req.header("authorization") ?? "") ? next() : typeformError(401, "AUTHENTICATION_FAILED"),
  );
  app.get("/me", (c) => {
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return typeformError(401, "AUTHENTICATION_FAILED");
    if (!holder.scopes.includes("accounts:read")) return typeformError(403, "FORBIDDEN");
    return c.json({ user_id: holder.account, alias: "somebody", email: "somebody@example.com", language: "en" });
  });
  app.get("/forms", (c) => {
    const items = [...forms.keys()].map((id) => ({ id, title: id }));
    return c.json({ total_items: items.length, page_count: 1, items });
  });
  app.get("/forms/:form/webhooks", (c) => {
    const form = c.req.param("form");
    if (!forms.has(form)) return typeformError(404, "FORM_NOT_FOUND");
    if (server.bearer(c.req.raw)?.scopes.includes("webhooks:read") !== true) return typeformError(403, "FORBIDDEN");
    return c.json({ items: (webhooks.get(form) ?? []).map((each) => ({ id: each.tag, ...each, enabled: true })) });
  });
  app.delete("/forms/:form/webhooks/:tag", (c) => {
    const { form, tag } = c.req.param();
    if (server.bearer(c.req.raw)?.scopes.includes("webhooks:write") !== true) return typeformError(403, "FORBIDDEN");
    const held = webhooks.get(form) ?? [];
    if (!held.some((each) => each.tag === tag)) return typeformError(404, "WEBHOOK_NOT_FOUND");
    webhooks.set(
      form,
      held.filter((each) => each.tag !== tag),
    );
    return c.body(null, 204);
  });
  app.get("/forms/:form/responses", (c) => {
    settle();
    const held = forms.get(c.req.param("form"));
    if (held === undefined) return typeformError(404, "FORM_NOT_FOUND");
    const query = c.req.query("query")?.toLowerCase() ?? "";
    const ids = idsIn(c.req.query("included_response_ids"));
    const items = held
      .filter((each) => ids === undefined || ids.includes(each.id))
      // The search knows words, not fields: half an address finds it too.
      .filter((each) => query === "" || JSON.stringify(each).toLowerCase().includes(query.slice(0, 5)))
      .map(wire);
    return c.json({ total_items: items.length, page_count: 1, items });
  });
  app.delete("/forms/:form/responses", (c) => {
    const form = c.req.param("form");
    const ids = idsIn(c.req.query("included_response_ids"));
    if (!forms.has(form)) return typeformError(404, "FORM_NOT_FOUND");
    if (ids === undefined || ids.length === 0 || ids.length > 1000) return typeformError(400, "VALIDATION_ERROR");
    doomed.push({ at: world.now(), form, ids });
    return c.body(null, 200);
  });

  return {
    id: "typeform",
    about: HOST,
    serves: (host) => host === HOST,
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => typeformError(status, reason),
    seed(body) {
      const ended = Ended.safeParse(body);
      if (ended.success) {
        server.endAccount(ended.data.end);
        return {};
      }
      const seed = Seed.parse(body);
      for (const [form, responses] of Object.entries(seed.forms)) forms.set(form, responses);
      for (const [form, some] of Object.entries(seed.webhooks)) webhooks.set(form, some);
      return Object.keys(seed.forms);
    },
    holdings() {
      settle();
      const held: { readonly [form: string]: Json } = Object.fromEntries(
        [...forms].map(([form, responses]) => [form, responses.map(wire)]),
      );
      // Forms stand by their ids, and no form has such a one.
      return { ...held, webhooks: [...webhooks.values()].flat().map(({ url }) => url), grants: server.holdings() };
    },
    reset() {
      forms.clear();
      webhooks.clear();
      doomed = [];
      server.reset();
    },
  };
};

const wire = ({ id, email, text, hidden }: Held) => ({
  response_id: id,
  token: id,
  landing_id: id,
  answers: [
    ...(email === undefined ? [] : [{ type: "email", email }]),
    ...(text === undefined ? [] : [{ type: "text", text }]),
  ],
  hidden,
});

const typeformError = (status: number, code: string): Response =>
  Response.json({ code, description: code }, { status });
