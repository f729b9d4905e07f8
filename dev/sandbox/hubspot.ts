import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import { everyone, shelf, type Thing } from "./shelf.ts";
import type { MakeVendor, Refusal } from "./vendor.ts";

/** `{vendor: "hubspot", account?: "<access token>", contacts: [{id, email, additional?, archived?}]}`. */
const Seed = z.object({
  account: z.string().default(everyone),
  contacts: z
    .array(
      z.strictObject({
        id: z.string(),
        email: z.string(),
        additional: z.array(z.string()).default([]),
        /** Deleted so that it can be restored. */
        archived: z.boolean().default(false),
      }),
    )
    .default([]),
});

const Search = z.object({
  filterGroups: z.array(
    z.object({ filters: z.array(z.object({ propertyName: z.string(), operator: z.string(), value: z.string() })) }),
  ),
  limit: z.int().max(200),
  after: z.string().optional(),
});
const Purge = z.object({ objectId: z.string(), idProperty: z.string().optional() });

/**
 * HubSpot's contacts: reading, searching, and deleting for good. And apps that accounts install, until they are uninstalled.
 *
 * The search does not see what is archived; `CONTAINS_TOKEN` compares words, so an address is found by its parts too. A
 * deletion by address that finds nobody blocks the address. Unconfirmed: what a deletion by an unknown id answers; here 404.
 *
 * @see https://github.com/HubSpot/HubSpot-public-api-spec-collection and https://developers.hubspot.com/docs/api-reference
 */
export const hubspot: MakeVendor = (world) => {
  const contacts = shelf();
  const blocked = new Set<string>();

  /** Whoever signs in speaks for the account of that number. */
  const server = authorizationServer({
    now: world.now,
    by: "post",
    pkce: "ignored",
    expiresIn: 1800,
    refresh: "kept",
    kills: "account",
    answer: ({ accessToken, refreshToken, expiresIn, scopes }) =>
      Response.json({
        token_type: "bearer",
        token_use: "access_token",
        access_token: accessToken,
        refresh_token: refreshToken,
        expires_in: expiresIn,
        scopes,
      }),
    refuse: (error) =>
      Response.json(
        { status: WORDS_OF_TOKENS[error] ?? "BAD_REQUEST", message: "missing or invalid", correlationId: "c0ffee" },
        { status: 400 },
      ),
  });
  const apps = new Hono();
  apps.all("/oauth/authorize", (c) => server.authorize(c.req.raw));
  apps.post("/oauth/2026-03/token", (c) => server.token(c.req.raw));
  apps.get("/account-info/2026-03/details", (c) => {
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return hubspotError(401, "INVALID_AUTHENTICATION");
    return c.json({ portalId: Number(holder.account), accountType: "STANDARD", timeZone: "Europe/Dublin" });
  });
  apps.delete("/appinstalls/2026-03/external-install", (c) => {
    if (server.bearer(c.req.raw) === undefined) return hubspotError(401, "INVALID_AUTHENTICATION");
    server.end(c.req.header("authorization")?.slice("Bearer ".length) ?? "");
    return c.body(null, 204);
  });

  const app = new Hono<{ Variables: { account: string } }>().basePath("/crm/objects/2026-03/contacts");
  app.use(async (c, next) => {
    const token = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (token === undefined) return hubspotError(401, "INVALID_AUTHENTICATION");
    c.set("account", token);
    return next();
  });
  app.post("/search", async (c) => {
    const body = Search.safeParse(await c.req.json().catch(() => undefined));
    if (!body.success) return hubspotError(400, "VALIDATION_ERROR");
    const { filterGroups, limit, after = "0" } = body.data;
    const hits = contacts
      .list(c.get("account"))
      .filter(({ archived }) => archived !== true)
      .filter((contact) => filterGroups.some(({ filters }) => filters.every((filter) => fits(contact, filter))));
    const start = Number(after);
    const end = start + limit;
    const paging = end < hits.length ? { paging: { next: { after: `${end}` } } } : {};
    return c.json({ total: hits.length, results: hits.slice(start, end).map(wire), ...paging });
  });
  app.post("/gdpr-delete", async (c) => {
    const body = Purge.safeParse(await c.req.json().catch(() => undefined));
    if (!body.success) return hubspotError(400, "VALIDATION_ERROR");
    const { objectId, idProperty } = body.data;
    if (idProperty === "email") {
      const [match] = contacts.list(c.get("account")).filter(({ email }) => email === objectId);
      if (match) contacts.remove(c.get("account"), match.id);
      else blocked.add(objectId);
      return c.body(null, 204);
    }
    return contacts.remove(c.get("account"), objectId) ? c.body(null, 204) : hubspotError(404, "OBJECT_NOT_FOUND");
  });
  app.get("/:id", (c) => {
    const contact = contacts.get(c.get("account"), c.req.param("id"));
    const wantsArchived = c.req.query("archived") === "true";
    if (!contact || (contact.archived === true) !== wantsArchived) return hubspotError(404, "OBJECT_NOT_FOUND");
    return c.json(wire(contact));
  });

  return {
    id: "hubspot",
    about: "api.hubapi.com: contacts, installed apps; app.hubspot.com: installing one",
    serves: (host) => host === "api.hubapi.com" || host === "app.hubspot.com",
    call: async (request) => (new URL(request.url).pathname.startsWith("/crm/") ? app : apps).fetch(request),
    refuse: ({ reason, status }: Refusal) => hubspotError(status, WORDS[reason]),
    seed(body) {
      const { account, contacts: seeded } = Seed.parse(body);
      return { contacts: seeded.map((contact) => contacts.put(account, contact).id) };
    },
    holdings: () => ({ contacts: contacts.shown(), blocked: [...blocked], grants: server.holdings() }),
    reset() {
      server.reset();
      contacts.clear();
      blocked.clear();
    },
  };
};

const WORDS_OF_TOKENS: Readonly<Record<string, string>> = {
  invalid_grant: "BAD_REFRESH_TOKEN",
  invalid_client: "BAD_CLIENT_ID",
};

const WORDS = { rate_limited: "RATE_LIMITS", server_error: "INTERNAL_ERROR", unauthorized: "INVALID_AUTHENTICATION" };

const additionalOf = ({ additional }: Thing) => (Array.isArray(additional) ? additional.map(String) : []);

function fits(contact: Thing, filter: { propertyName: string; operator: string; value: string }): boolean {
  const values = filter.propertyName === "email" ? [String(contact.email)] : additionalOf(contact);
  const wanted = filter.value.toLowerCase();
  if (filter.operator === "EQ") return values.some((value) => value.toLowerCase() === wanted);
  const words = (text: string) => text.toLowerCase().split(/[^a-z0-9]+/);
  return values.some((value) => words(wanted).some((word) => words(value).includes(word)));
}

const wire = (contact: Thing) => ({
  id: contact.id,
  properties: { email: contact.email ?? null, hs_additional_emails: additionalOf(contact).join(";") || null },
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
  archived: contact.archived === true,
});

const hubspotError = (status: number, category: string): Response =>
  Response.json({ status: "error", message: category.toLowerCase(), correlationId: "c0ffee", category }, { status });
