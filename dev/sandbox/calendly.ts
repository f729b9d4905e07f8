import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer, rfc6749 } from "./authorization-server.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const HOST = "api.calendly.com";
const AUTH_HOST = "auth.calendly.com";
const ORGANIZATION = "https://api.calendly.com/organizations/BBBBBBBBBBBBBBBB";

/**
 * `{vendor: "calendly", organization, enterprise?, events?: [{name, invitee}]}`. Whoever signs in is the user whose id they give;
 * `{vendor: "calendly", end: "AAAA…"}`: that user removes the app.
 */
const Ended = z.strictObject({ vendor: z.string(), end: z.string() });
const Seed = z.object({
  organization: z.string(),
  enterprise: z.boolean().default(true),
  events: z.array(z.strictObject({ name: z.string(), invitee: z.string() })).default([]),
});
/** `{vendor: "calendly", webhooks: [{user: "AAAA…", url}]}`: what apps have subscribed to about a user. */
const Webhooks = z.strictObject({
  vendor: z.string(),
  webhooks: z.array(z.strictObject({ user: z.string(), url: z.url() })),
});
type Event = { readonly uri: string; readonly name: string; invitee: string | null; readonly organization: string };

const Emails = z.object({ emails: z.array(z.email()).min(1) });

/** How long a deletion takes here; Calendly says up to seven days. */
const DELETION_MS = 24 * 3600_000;

/**
 * Calendly's scheduled events, searched by invitee, and the deletion of invitees, which answers nothing and takes its time. And what
 * hosts have granted to an application: refresh tokens that can be used once, and the owner's URI beside the tokens. The token
 * endpoint is asked with HTTP Basic, the others with the client in the form.
 *
 * Unconfirmed: that an event stays, without its invitee.
 *
 * @see https://developer.calendly.com/api-docs
 */
export const calendly: MakeVendor = (world) => {
  const events: Event[] = [];
  const without = new Set<string>();
  const webhooks = new Map<string, { readonly user: string; readonly url: string }>();
  let deletions: { readonly at: number; readonly emails: readonly string[] }[] = [];

  const settle = () => {
    for (const { emails } of deletions.filter((each) => world.now() >= each.at + DELETION_MS))
      for (const event of events) {
        if (event.invitee !== null && emails.includes(event.invitee.toLowerCase())) event.invitee = null;
      }
    deletions = deletions.filter((each) => world.now() < each.at + DELETION_MS);
  };

  const server = authorizationServer({
    now: world.now,
    by: "basic",
    pkce: "required",
    expiresIn: 7200,
    refresh: "rotated",
    kills: "grant",
    answer: (issued) =>
      Response.json({
        ...rfc6749(issued),
        created_at: Math.floor(world.now() / 1000),
        owner: `https://api.calendly.com/users/${issued.account}`,
        organization: ORGANIZATION,
      }),
  });
  const auth = new Hono();
  auth.all("/oauth/authorize", (c) => server.authorize(c.req.raw));
  auth.post("/oauth/token", (c) => server.token(c.req.raw));
  auth.post("/oauth/:what{revoke|introspect}", async (c) => {
    const form = new URLSearchParams(await c.req.text());
    const [token, id, secret] = ["token", "client_id", "client_secret"].map((name) => form.get(name) ?? "");
    if (token === undefined || token === "")
      return c.json({ error: "invalid_request", error_description: "Missing parameter: token" }, 400);
    if (id === "" || secret === "")
      return c.json({ error: "unauthorized_client", error_description: "No client" }, 403);
    if (c.req.param("what") === "introspect") return c.json({ active: server.holder(token) !== undefined });
    server.end(token);
    return c.json({});
  });

  const app = new Hono();
  app.notFound(() => calendlyError(404, "Resource Not Found"));
  app.use(async (c, next) =>
    /^Bearer .+/.test(c.req.header("authorization") ?? "") ? next() : calendlyError(401, "Unauthenticated"),
  );
  app.post("/data_compliance/deletion/invitees", async (c) => {
    if (without.size > 0) return calendlyError(403, "Permission Denied");
    const read = Emails.safeParse(await c.req.json());
    if (!read.success) return calendlyError(400, "Invalid Argument");
    deletions.push({ at: world.now(), emails: read.data.emails.map((email) => email.toLowerCase()) });
    return c.json({}, 202);
  });
  app.get("/users/me", (c) => {
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return calendlyError(401, "Unauthenticated");
    const uri = `https://${HOST}/users/${holder.account}`;
    return c.json({ resource: { uri, name: "Somebody", current_organization: ORGANIZATION } });
  });
  app.get("/webhook_subscriptions", (c) => {
    if (server.bearer(c.req.raw)?.scopes.includes("webhooks:read") !== true)
      return calendlyError(403, "Permission Denied");
    const { organization, user, scope } = c.req.query();
    if (organization !== ORGANIZATION || scope !== "user") return calendlyError(400, "Invalid Argument");
    const collection = [...webhooks]
      .filter(([, each]) => user === `https://${HOST}/users/${each.user}`)
      .map(([id, { url }]) => ({
        uri: `https://${HOST}/webhook_subscriptions/${id}`,
        callback_url: url,
        state: "active",
        events: ["invitee.created"],
      }));
    return c.json({ collection, pagination: { count: collection.length, next_page: null, next_page_token: null } });
  });
  app.delete("/webhook_subscriptions/:id", (c) => {
    if (server.bearer(c.req.raw)?.scopes.includes("webhooks:write") !== true)
      return calendlyError(403, "Permission Denied");
    return webhooks.delete(c.req.param("id")) ? c.body(null, 204) : calendlyError(404, "Resource Not Found");
  });
  app.get("/scheduled_events", (c) => {
    settle();
    const { organization, invitee_email, count = "20" } = c.req.query();
    if (organization === undefined || !/^([1-9]\d?|100)$/.test(count)) return calendlyError(400, "Invalid Argument");
    const found = events.filter(
      (event) => event.organization === organization && event.invitee?.toLowerCase() === invitee_email?.toLowerCase(),
    );
    const collection = found.slice(0, Number(count)).map(({ uri, name }) => ({ uri, name, status: "active" }));
    return c.json({ collection, pagination: { count: collection.length, next_page: null, next_page_token: null } });
  });

  return {
    id: "calendly",
    about: `${HOST}, and at ${AUTH_HOST} what hosts have granted to an application`,
    serves: (host) => host === HOST || host === AUTH_HOST,
    call: async (request) => (new URL(request.url).hostname === AUTH_HOST ? auth : app).fetch(request),
    refuse: ({ reason, status }: Refusal) => calendlyError(status, reason),
    seed(body) {
      const ended = Ended.safeParse(body);
      if (ended.success) {
        server.endAccount(ended.data.end);
        return {};
      }
      const subscribed = Webhooks.safeParse(body);
      if (subscribed.success) {
        for (const each of subscribed.data.webhooks) webhooks.set(`W${webhooks.size}`, each);
        return {};
      }
      const { organization, enterprise, events: planted } = Seed.parse(body);
      if (!enterprise) without.add(organization);
      const made = planted.map(({ name, invitee }, nth) => ({
        uri: `https://${HOST}/scheduled_events/E${events.length + nth}`,
        ...{ name, invitee, organization },
      }));
      events.push(...made);
      return { events: made.map(({ uri }) => uri) };
    },
    holdings() {
      settle();
      const held: Json = events;
      return { events: held, webhooks: [...webhooks.values()].map(({ url }) => url), grants: server.holdings() };
    },
    reset() {
      events.length = 0;
      without.clear();
      webhooks.clear();
      deletions = [];
      server.reset();
    },
  };
};

const calendlyError = (status: number, title: string): Response =>
  Response.json({ title, message: title, details: [] }, { status });
