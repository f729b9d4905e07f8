import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import { derivedId, everyone, type Shelf, shelf, type Thing } from "./shelf.ts";
import type { MakeVendor, Refusal } from "./vendor.ts";

/** `{vendor: "intercom", account?: "<access token>", contacts?: [{id?, email, external_id?, role?, name?}], conversations?: [{id?, contact, text}]}`. */
const Seed = z.object({
  account: z.string().default(everyone),
  contacts: z
    .array(
      z.strictObject({
        id: z.string().optional(),
        email: z.string().nullable().default(null),
        external_id: z.string().nullable().default(null),
        role: z.enum(["user", "lead"]).default("user"),
        name: z.string().nullable().default(null),
      }),
    )
    .default([]),
  conversations: z
    .array(z.strictObject({ id: z.string().optional(), contact: z.string(), text: z.string() }))
    .default([]),
});

const Search = z.object({
  query: z.object({ field: z.enum(["email", "external_id"]), operator: z.literal("="), value: z.string() }),
  pagination: z
    .object({ per_page: z.int().min(1).max(150).default(50), starting_after: z.string().optional() })
    .optional(),
});

type Env = { Variables: { account: string } };

/**
 * Intercom's contacts, found, read and deleted; their conversations go with them, as its help pages say.
 *
 * At `app.intercom.com` a workspace installs an app, whose token lives until the app is uninstalled.
 *
 * Unconfirmed: what permanent deletion answers for a lead (404 here), and that a contact stays to be seen after it was
 * asked for, until it is deleted or Intercom's own time has come.
 *
 * @see https://github.com/intercom/Intercom-OpenAPI
 * @see https://developers.intercom.com/docs/references/1.3/rest-api/users/delete-users
 */
export const intercom: MakeVendor = (world) => {
  const [contacts, conversations, requests]: readonly [Shelf, Shelf, Shelf] = [shelf(), shelf(), shelf()];
  /** Whoever signs in speaks for the workspace of that id. */
  const server = authorizationServer({
    now: world.now,
    by: "post",
    pkce: "ignored",
    forgetsRedirect: true,
    refresh: "none",
    kills: "account",
    answer: ({ accessToken }) => Response.json({ token_type: "Bearer", token: accessToken, access_token: accessToken }),
    refuse: () => intercomError(401, "unauthorized_code", "Unauthorized Code"),
  });
  /** Tokens that were given by installing an app are told by their form from those that anybody may have here. */
  const isGranted = (token: string) => token.startsWith("at_");
  const app = new Hono<Env>();
  app.all("/oauth", (c) => server.authorize(c.req.raw));
  app.post("/auth/eagle/token", (c) => server.token(c.req.raw));
  app.use(async (c, next) => {
    const token = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    if (token === undefined || (isGranted(token) && server.holder(token) === undefined))
      return intercomError(401, "unauthorized", "Access Token Invalid");
    c.set("account", token);
    return next();
  });
  app.notFound(() => intercomError(404, "not_found", "The requested resource was not found"));
  app.onError((error) => intercomError(error instanceof z.ZodError ? 400 : 500, "parameter_invalid", error.message));

  app.get("/me", (c) => {
    const id_code = server.holder(c.get("account"))?.account ?? "abc12345";
    return c.json({ type: "admin", id: "1", app: { type: "app", id_code, region: "US" } });
  });
  app.post("/auth/uninstall", (c) => {
    server.end(c.get("account"));
    return c.body(null, 200);
  });
  app.post("/contacts/search", async (c) => {
    const { query, pagination } = Search.parse(await c.req.json());
    const all = contacts
      .list(c.get("account"))
      .filter((contact) => String(contact[query.field] ?? "").toLowerCase() === query.value.toLowerCase());
    const size = pagination?.per_page ?? 50;
    const start = Number(pagination?.starting_after ?? 0);
    const next = start + size < all.length ? { per_page: size, starting_after: String(start + size) } : null;
    return c.json({
      type: "list",
      data: all.slice(start, start + size),
      total_count: all.length,
      pages: { type: "pages", page: 1, per_page: size, total_pages: 1, ...(next && { next }) },
    });
  });
  app.get("/contacts/:id", (c) => {
    const contact = contacts.get(c.get("account"), c.req.param("id"));
    return contact === undefined ? contactMissing() : c.json(contact);
  });
  app.delete("/contacts/:id", (c) => {
    const contact = contacts.get(c.get("account"), c.req.param("id"));
    if (contact === undefined) return contactMissing();
    const { id, external_id = null } = contact;
    contacts.remove(c.get("account"), id);
    for (const each of conversations.list(c.get("account")))
      if (each.contact === id) conversations.remove(c.get("account"), each.id);
    world.announce("intercom", {
      type: "notification_event",
      topic: "contact.deleted",
      id: derivedId("notif_", id),
      created_at: Math.floor(world.now() / 1000),
      data: { type: "notification_event_data", item: { type: "contact", id, deleted: true } },
    });
    return c.json({ type: "contact", id, external_id, deleted: true });
  });
  app.post("/user_delete_requests", async (c) => {
    const { intercom_user_id: id } = z.object({ intercom_user_id: z.string() }).parse(await c.req.json());
    const contact = contacts.get(c.get("account"), id);
    if (contact?.role !== "user") return contactMissing();
    requests.put(c.get("account"), { id });
    return c.json({ id: 10 });
  });

  return {
    id: "intercom",
    about: "api.intercom.io and its regions: contacts; app.intercom.com: installing an app",
    serves: (host) => /^api\.(eu\.|au\.)?intercom\.io$/.test(host) || host === "app.intercom.com",
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) =>
      intercomError(
        status,
        { rate_limited: "rate_limit_exceeded", server_error: "server_error", unauthorized: "unauthorized" }[reason],
        "refused",
      ),
    seed(body) {
      const { account, ...seed } = Seed.parse(body);
      const planted = seed.contacts.map(({ id, ...contact }) => {
        const made: Thing = {
          type: "contact",
          id: id ?? derivedId("", account, contact.email ?? "", contact.external_id ?? "", contact.role),
          ...contact,
        };
        return contacts.put(account, made).id;
      });
      const said = seed.conversations.map(({ id, ...conversation }) => {
        const made = { type: "conversation", id: id ?? derivedId("", account, conversation.text), ...conversation };
        return conversations.put(account, made).id;
      });
      return { contacts: planted, conversations: said };
    },
    holdings: () => ({
      contacts: contacts.shown(),
      conversations: conversations.shown(),
      user_delete_requests: requests.shown(),
      grants: server.holdings(),
    }),
    reset() {
      server.reset();
      for (const held of [contacts, conversations, requests]) held.clear();
    },
  };
};

const contactMissing = () => intercomError(404, "not_found", "User Not Found");

const intercomError = (status: number, code: string, message: string): Response =>
  Response.json({ type: "error.list", request_id: "req_1", errors: [{ code, message }] }, { status });
