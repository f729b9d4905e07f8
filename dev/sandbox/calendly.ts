import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer, rfc6749 } from "./authorization-server.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const HOST = "api.calendly.com";
const AUTH_HOST = "auth.calendly.com";

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
        organization: "https://api.calendly.com/organizations/BBBBBBBBBBBBBBBB",
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
      return { events: held, grants: server.holdings() };
    },
    reset() {
      events.length = 0;
      without.clear();
      deletions = [];
      server.reset();
    },
  };
};

const calendlyError = (status: number, title: string): Response =>
  Response.json({ title, message: title, details: [] }, { status });
