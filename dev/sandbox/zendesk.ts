import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import { derivedId } from "./shelf.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

/** `{vendor: "zendesk", account: "<subdomain>", users?: [{id?, name, email, external_id?, addresses?}], tickets?: [{id?, requester_id, subject, status?}]}`. */
const Seed = z.object({
  account: z.string(),
  users: z
    .array(
      z.strictObject({
        id: z.int().optional(),
        name: z.string(),
        email: z.string().nullable().default(null),
        external_id: z.string().nullable().default(null),
        /** Addresses beside the first. */
        addresses: z.array(z.string()).default([]),
      }),
    )
    .default([]),
  tickets: z
    .array(
      z.strictObject({
        id: z.int().optional(),
        requester_id: z.int(),
        subject: z.string(),
        status: z.enum(["new", "open", "pending", "hold", "solved", "closed"]).default("closed"),
      }),
    )
    .default([]),
});

type User = {
  readonly id: number;
  name: string;
  email: string | null;
  external_id: string | null;
  addresses: string[];
  active: boolean;
  /** When it was deleted for good. */
  erasedAt?: number;
};
type Ticket = { readonly id: number; readonly requester_id: number; subject: string; status: string; deleted: boolean };
type Account = {
  users: Map<number, User>;
  tickets: Map<number, Ticket>;
  jobs: Map<string, { readonly doneAt: number; readonly results: Json }>;
};

/** How long a job, and the products' own deletions, take here. */
const JOB_MS = 5_000;
const PRODUCT_MS = 60_000;
const PRODUCTS = ["support", "chat"];
const PAGE = 100;
const ACCESS_S = 8 * 3600;

/**
 * Zendesk's users and tickets, each deleted twice: once out of sight, once for good. Searches do not see what was deleted.
 *
 * Unconfirmed: what a second deletion of a user and one of an unknown ticket are answered with (404 here), that a user
 * with tickets at work is refused with 422, and how a job words a ticket that is not there.
 *
 * Each subdomain lets OAuth clients in, whose tokens are renewed both at once, and ended with themselves.
 *
 * @see https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
 * @see https://developer.zendesk.com/api-reference/ticketing/users/users/
 * @see https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/
 */
export const zendesk: MakeVendor = (world) => {
  const accounts = new Map<string, Account>();
  let jobs = 0;
  const accountOf = (subdomain: string): Account => {
    const account = accounts.get(subdomain) ?? { users: new Map(), tickets: new Map(), jobs: new Map() };
    accounts.set(subdomain, account);
    return account;
  };
  const here = (c: Context) => accountOf(new URL(c.req.url).hostname.split(".")[0] ?? "");
  const userOf = (c: Context) => here(c).users.get(Number(c.req.param("id"))) ?? missing();

  /** Whoever signs in is the user of that number. */
  const server = authorizationServer({
    now: world.now,
    by: "post",
    body: "json",
    pkce: "optional",
    expiresIn: ACCESS_S,
    refresh: "rotated",
    kills: "grant",
  });
  const login = new Hono();
  login.all("/oauth/authorizations/new", (c) => server.authorize(c.req.raw));
  login.post("/oauth/tokens", (c) => server.token(c.req.raw));
  /** Tokens that were granted here are told by their form from those that anybody may have. */
  const granted = (c: Context) => /^Bearer (at_.+)$/.exec(c.req.header("authorization") ?? "")?.[1];

  const app = new Hono().basePath("/api/v2");
  app.use(async (c, next) => {
    const [, encoded = ""] = /^Basic (.+)$/.exec(c.req.header("authorization") ?? "") ?? [];
    const isToken = /^[^:]+\/token:.+$/.test(atob(encoded));
    const token = granted(c);
    if (token !== undefined && server.holder(token) === undefined)
      return c.json(
        {
          error: "invalid_token",
          error_description: "The access token provided is expired, revoked, malformed or invalid.",
        },
        401,
      );
    if (!isToken && !/^Bearer .+/.test(c.req.header("authorization") ?? ""))
      return zendeskError(401, "Couldn't authenticate you");
    return next();
  });
  app.onError((error) => (error instanceof HTTPException ? error.getResponse() : zendeskError(500, String(error))));
  app.notFound(() => notThere());

  app.get("/users/search", (c) => {
    const { query = "", external_id } = c.req.query();
    const email = /^email:"?([^"]*)"?$/.exec(query)?.[1]?.toLowerCase();
    const users = [...here(c).users.values()].filter(
      (user) =>
        user.active &&
        (external_id === undefined
          ? [user.email, ...user.addresses].some((address) => address?.toLowerCase() === email)
          : user.external_id?.toLowerCase() === external_id.toLowerCase()),
    );
    return c.json({ users: users.map(userWire), count: users.length, next_page: null, previous_page: null });
  });
  for (const path of ["/users/me", "/users/me.json"])
    app.get(path, (c) => {
      const id = Number(server.holder(granted(c))?.account ?? 1);
      return c.json({ user: { id, name: "Agent", role: "admin", active: true } });
    });
  app.delete("/oauth/tokens/current.json", (c) => {
    const token = granted(c);
    if (token === undefined || !server.end(token)) return notThere();
    return c.body(null, 204);
  });
  app.get("/users/:id/identities", (c) => {
    const { id, email, addresses } = userOf(c);
    const values = [email, ...addresses].filter((value) => value !== null);
    const identities = values.map((value, nth) => ({ id: id * 10 + nth, type: "email", user_id: id, value }));
    return c.json({ identities, count: identities.length, next_page: null, previous_page: null });
  });
  app.get("/users/:id/compliance_deletion_statuses", (c) => {
    const { id, erasedAt } = userOf(c);
    const about = {
      user_id: id,
      account_subdomain: "here",
      executer_id: 1,
      created_at: new Date(world.now()).toISOString(),
    };
    const entry = (action: string, application: string) => ({ action, application, ...about });
    const isDone = erasedAt !== undefined && world.now() >= erasedAt + PRODUCT_MS;
    const statuses =
      erasedAt === undefined
        ? []
        : [
            entry("request_deletion", "all"),
            ...PRODUCTS.flatMap((product) => [
              entry("started", product),
              ...(isDone || product === "support" ? [entry("complete", product)] : []),
            ]),
          ];
    return c.json({ compliance_deletion_statuses: statuses, count: statuses.length, next_page: null });
  });
  app.get("/users/:id", (c) => c.json({ user: userWire(userOf(c)) }));
  app.delete("/users/:id", (c) => {
    const user = userOf(c);
    if (!user.active) return notThere();
    const own = [...here(c).tickets.values()].filter((ticket) => ticket.requester_id === user.id && !ticket.deleted);
    if (own.some(({ status }) => status !== "closed")) return zendeskError(422, "RecordInvalid");
    user.active = false;
    announce("user.deleted", "user", user.id);
    return c.json({ user: userWire(user) });
  });
  app.get("/deleted_users/:id", (c) => {
    const user = userOf(c);
    return user.active || user.erasedAt !== undefined ? notThere() : c.json({ deleted_user: userWire(user) });
  });
  app.delete("/deleted_users/:id", (c) => {
    const user = userOf(c);
    if (user.active || user.erasedAt !== undefined) return notThere();
    const gone = { name: "Permanently Deleted User", email: null, external_id: null, addresses: [] };
    Object.assign(user, gone, { erasedAt: world.now() });
    return c.json({ deleted_user: userWire(user) });
  });

  app.get("/search/export", (c) => {
    const requester = Number(/^requester:(\d+)$/.exec(c.req.query("query") ?? "")?.[1]);
    const size = Number(c.req.query("page[size]") ?? PAGE);
    const start = Number(c.req.query("page[after]") ?? 0);
    const all = [...here(c).tickets.values()].filter((ticket) => ticket.requester_id === requester && !ticket.deleted);
    const results = all.slice(start, start + size).map((ticket) => ({ ...ticketWire(ticket), result_type: "ticket" }));
    const has_more = start + size < all.length;
    const meta = { has_more, after_cursor: has_more ? String(start + size) : null, before_cursor: null };
    return c.json({ results, facets: null, meta, links: { next: null, prev: null } });
  });
  app.get("/tickets/show_many", (c) => {
    const ids = idsIn(c);
    const tickets = [...here(c).tickets.values()].filter(({ id, deleted }) => ids.includes(id) && !deleted);
    return c.json({ tickets: tickets.map(ticketWire), count: tickets.length, next_page: null, previous_page: null });
  });
  /** A job that does the same to each ticket, or says that it is not there. */
  const job = (c: Context, act: (ticket: Ticket | undefined, id: number) => boolean) => {
    const { tickets, jobs: running } = here(c);
    const results = idsIn(c).map((id, index) =>
      act(tickets.get(id), id)
        ? { id, action: "delete", status: "Deleted", success: true }
        : { index, id, success: false, error: "TicketNotFound" },
    );
    jobs += 1;
    const begun = { doneAt: world.now() + JOB_MS, results };
    running.set(`job-${jobs}`, begun);
    return c.json({ job_status: jobWire(`job-${jobs}`, begun) });
  };
  app.delete("/tickets/destroy_many", (c) =>
    job(c, (ticket) => {
      if (ticket === undefined || ticket.deleted) return false;
      ticket.deleted = true;
      announce("ticket.soft_deleted", "ticket", ticket.id);
      return true;
    }),
  );
  app.delete("/deleted_tickets/destroy_many", (c) =>
    job(c, (ticket, id) => ticket?.deleted === true && here(c).tickets.delete(id)),
  );
  app.get("/job_statuses/:id", (c) => {
    const job = here(c).jobs.get(c.req.param("id"));
    return job === undefined ? notThere() : c.json({ job_status: jobWire(c.req.param("id"), job) });
  });

  const jobWire = (id: string, { doneAt, results }: { readonly doneAt: number; readonly results: Json }) =>
    world.now() < doneAt
      ? { id, status: "queued", results: null, message: null, progress: null, total: 1 }
      : { id, status: "completed", results, message: "Completed", progress: 1, total: 1 };
  const announce = (type: string, kind: string, id: number) =>
    world.announce("zendesk", {
      type: `zen:event-type:${type}`,
      id: derivedId("event-", type, id),
      time: new Date(world.now()).toISOString(),
      subject: `zen:${kind}:${id}`,
      detail: { id: String(id) },
      event: {},
    });

  return {
    id: "zendesk",
    about: "{subdomain}.zendesk.com: users, tickets, deletion jobs, OAuth",
    serves: (host) => /^[a-z0-9-]+\.zendesk\.com$/.test(host),
    call: async (request) => (new URL(request.url).pathname.startsWith("/oauth/") ? login : app).fetch(request),
    refuse: ({ reason, status }: Refusal) =>
      zendeskError(status, reason === "rate_limited" ? "Number of allowed API requests per minute exceeded" : reason),
    seed(body) {
      const { account, users, tickets } = Seed.parse(body);
      const held = accountOf(account);
      const ids = users.map((user) => {
        const id = user.id ?? numberOf(account, user.name);
        held.users.set(id, { ...user, id, active: true });
        return id;
      });
      const ticketIds = tickets.map((ticket) => {
        const id = ticket.id ?? numberOf(account, ticket.requester_id, ticket.subject);
        held.tickets.set(id, { ...ticket, id, deleted: false });
        return id;
      });
      return { users: ids, tickets: ticketIds };
    },
    holdings: () => ({
      users: byId([...accounts.values()].flatMap(({ users }) => [...users.values()])),
      tickets: byId([...accounts.values()].flatMap(({ tickets }) => [...tickets.values()])),
      grants: server.holdings(),
    }),
    reset() {
      accounts.clear();
      server.reset();
    },
  };
};

const userWire = ({ id, name, email, external_id, active }: User) => ({
  id,
  name,
  email,
  external_id,
  active,
  role: "end-user",
});

const ticketWire = ({ id, requester_id, subject, status }: Ticket) => ({ id, requester_id, subject, status });

const byId = (things: readonly (User | Ticket)[]): { readonly [id: string]: Json } =>
  Object.fromEntries(things.map(({ id, ...thing }) => [String(id), thing]));

const idsIn = (c: Context): readonly number[] => (c.req.query("ids") ?? "").split(",").map(Number);

const numberOf = (...parts: readonly (string | number)[]): number =>
  Number.parseInt(derivedId("", ...parts).slice(0, 10), 16);

const notThere = (): Response => Response.json({ error: "RecordNotFound", description: "Not found" }, { status: 404 });

function missing(): never {
  throw new HTTPException(404, { res: notThere() });
}

const zendeskError = (status: number, error: string): Response => Response.json({ error }, { status });
