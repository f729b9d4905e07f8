import { z } from "zod";
import { at, bearer, del, get, noCall, type Reply, read, unforeseen } from "../src/contract/call.ts";
import { fine, lacksScope, refusedCredential, unclear } from "../src/contract/check.ts";
import type { Identity } from "../src/contract/identity.ts";
import { defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { accountIn, CONNECTION, grantOf } from "../src/contract/oauth.ts";
import {
  type Answer,
  accepted,
  erased,
  found,
  notFound,
  retained,
  revoked,
  type Sight,
  type Unforeseen,
} from "../src/contract/outcome.ts";
import { dnsLabel, optional, type Settings, secret, text } from "../src/contract/settings.ts";
import { json, type Signal, withinSecond } from "../src/contract/signal.ts";

/**
 * Zendesk keeps the tenant's support tickets and the users who sent them, by id, e-mail address or the tenant's own id.
 * It tells us when a user or a ticket was deleted; we have it erase a user for good, and the tickets unless they are kept.
 */
const WEBHOOKS = "https://developer.zendesk.com/documentation/webhooks/verifying/";
const USERS = "https://developer.zendesk.com/api-reference/ticketing/users/users/";
const GRANTS = "https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/";
const REVOKE = "https://developer.zendesk.com/documentation/api-basics/authentication/revoking-oauth-token";
const REFRESH = "https://developer.zendesk.com/documentation/api-basics/authentication/refresh-token";
const TICKETS = "https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/";

const SUPPORT_TICKETS = "support_tickets";

const Event = z.object({
  id: z.string().min(1),
  type: z.string(),
  time: z.iso.datetime({ offset: true }).optional(),
  detail: z.object({ id: z.union([z.string().min(1), z.int().positive()]).transform(String) }).optional(),
  event: z.object({ current: z.unknown() }).partial().nullish(),
});
type Event = z.infer<typeof Event>;

const Id = z.int().positive().transform(String);
const User = z.object({
  id: Id,
  email: z.string().nullish(),
  external_id: z.string().nullish(),
  active: z.boolean().optional(),
});
const Users = z.object({ users: z.array(User), next_page: z.string().nullish() });
/** Whoever has no token is an anonymous user, who has no id. */
const Me = z.object({ user: z.object({ id: Id.nullable(), role: z.string().nullish() }) });
const OneUser = z.object({ user: User });
const DeletedUser = z.object({
  deleted_user: z.object({ id: Id, email: z.string().nullish(), name: z.string().nullish() }),
});
const Identities = z.object({ identities: z.array(z.object({ type: z.string(), value: z.string() })) });
const Statuses = z.object({
  compliance_deletion_statuses: z.array(z.object({ action: z.string(), application: z.string() })),
});
const Tickets = z.object({ tickets: z.array(z.object({ id: Id })) });
const Export = z.object({
  results: z.array(z.object({ id: Id, requester_id: Id.nullish() })),
  meta: z.object({ has_more: z.boolean(), after_cursor: z.string().nullish() }),
});
const Result = z.object({
  success: z.boolean().optional(),
  error: z.string().nullish(),
  details: z.string().nullish(),
  status: z.string().nullish(),
});
const Job = z.object({
  job_status: z.object({
    id: z.string(),
    status: z.string(),
    // One result for each ticket, or one for all.
    results: z.union([z.array(Result), Result.transform((one) => [one])]).nullish(),
  }),
});

const settings = {
  subdomain: dnsLabel("Subdomain: what stands before .zendesk.com"),
  agentEmail: text("E-mail address of the administrator whose API token it is", /^[^\s:/]+@[^\s:/]+$/),
  apiToken: secret("API token"),
  webhookSecret: optional(secret("Webhook signing secret")),
  clientId: optional(text("Identifier of the OAuth client", /^[\w.-]{1,200}$/)),
  clientSecret: optional(secret("Secret of the OAuth client")),
} satisfies Settings;

export const zendesk = defineIntegration({
  id: "zendesk",
  name: "Zendesk",
  about: "Keeps support tickets and who sent them.",
  origins: ["https://{subdomain}.zendesk.com"],
  settings,
  identities: {
    "zendesk.user": "User id",
    "zendesk.agent": "User who connected an account: `<subdomain>/<user id>`",
    "zendesk.tickets": "Ticket ids, separated by commas",
  },

  hooks: {
    events: {
      source: WEBHOOKS,
      verify: {
        scheme: "hmac",
        key: "webhookSecret",
        hash: "SHA-256",
        signature: { header: "x-zendesk-webhook-signature", encoding: "base64" },
        // Older copies of the page have the body first; that order is refused.
        over: [{ header: "x-zendesk-webhook-signature-timestamp" }, "body"],
        // Zendesk names no tolerance. Unconfirmed: whether what it repeats is signed anew; a repeat is known by its id.
      },
      contentTypes: ["application/json"],
      read: json(Event, (body, proven) => [
        { id: body.id, name: body.type, signals: signalsOf(body, proven.receivedAt) },
      ]),
      authority: {
        account_deleted: "here",
        account_disabled: "record",
        account_restored: "record",
        content_deleted: "record",
      },
      answer: 200,
      retriesForHours: "unknown",
      events: [
        "zen:event-type:user.deleted",
        "zen:event-type:user.active_changed",
        "zen:event-type:user.merged",
        "zen:event-type:ticket.soft_deleted",
        "zen:event-type:ticket.permanently_deleted",
      ],
    },
  },

  oauth: {
    source: GRANTS,
    server: {
      issuer: "https://{subdomain}.zendesk.com",
      authorize: "https://{subdomain}.zendesk.com/oauth/authorizations/new",
      token: "https://{subdomain}.zendesk.com/oauth/tokens",
    },
    client: { id: "clientId", secret: "clientSecret", by: "post", body: "json" },
    pkce: "S256",
    // A token is ended by a DELETE, and `read` is for GET alone.
    scopes: { standard: ["read", "write"] },
    site: "subdomain",
    // Ids are not said to be unlike at different subdomains.
    *account({ settings: { subdomain }, accessToken }) {
      const me = read(yield meCall(subdomain, accessToken), Me);
      if (!me.ok) return me;
      const { id } = me.value.user;
      return accountIn("zendesk.agent", { ...(id !== null && { id: `${subdomain}/${id}` }) }, "id");
    },
    refresh: { source: REFRESH },
    *alive({ settings: { subdomain }, grant }) {
      const sight = tokenSeen(yield meCall(subdomain, grant.accessToken));
      if (sight === "absent") return "ended";
      return sight === "present" ? "alive" : sight;
    },
    kills: "grant",
    revokesWithAccess: true,
  },

  actions: {
    revoke: {
      source: REVOKE,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const { accessToken } = grantOf(order);
        const { subdomain } = order.settings;
        // What the other call answers to a token that is dead is not documented, so this one is asked first.
        const sight = tokenSeen(yield meCall(subdomain, accessToken));
        if (sight === "absent") return notFound;
        if (sight !== "present") return sight;
        const end = at`https://${{ subdomain }}.zendesk.com/api/v2/oauth/tokens/current.json`;
        const reply = yield del(end, bearer(accessToken));
        return reply.status === 204
          ? revoked
          : unforeseen(reply, "Zendesk did not end the token; it needs the scope write");
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          return tokenSeen(yield meCall(order.settings.subdomain, grantOf(order).accessToken));
        },
      },
    },
    erase: {
      source: USERS,
      by: ["zendesk.user", "email", "user_id", "zendesk.tickets"],
      each: "identity",
      learns: ["zendesk.user"],
      *run(order) {
        const { type, value } = order.identity;
        if (type === "email") return yield* usersByEmail(value, order);
        if (type === "user_id") return yield* usersByExternalId(value, order);
        if (type === "zendesk.tickets") return yield* eraseTickets(value.split(","), order);
        return yield* eraseUser(value, order);
      },
      *check(reference, order) {
        const [kind, first = "", ids = ""] = reference.split(":");
        if (kind === "hide") return yield* ticketsHidden(first, ids, order);
        return kind === "job" ? yield* ticketsErased(first, order) : yield* userGone(first, order);
      },
      look: {
        afterSeconds: 60,
        *run(order) {
          const { type, value } = order.identity;
          if (type === "zendesk.user") return yield* userSeen(value, order);
          return type === "zendesk.tickets" ? yield* ticketsSeen(value, order) : "no_view";
        },
      },
    },
  },

  check: {
    source: "https://developer.zendesk.com/api-reference/ticketing/users/users/#show-self",
    shows: "the token is an administrator's, who may delete users and tickets for good",
    *run({ subdomain, agentEmail, apiToken }) {
      const headers = { authorization: `Basic ${btoa(`${agentEmail}/token:${apiToken}`)}` };
      const reply = yield get(at`https://${{ subdomain }}.zendesk.com/api/v2/users/me`, headers);
      if (reply.status === 403) return lacksScope(reply, "Zendesk does not let this agent use the API");
      const me = read(reply, Me);
      if (!me.ok) return unclear(me.problem);
      // Whom Zendesk does not know it calls an anonymous user, with a success.
      if (me.value.user.id === null) return refusedCredential(reply, "Zendesk does not know this agent and token");
      return me.value.user.role === "admin"
        ? fine
        : lacksScope(reply, "the agent is no administrator, who alone may delete users for good");
    },
  },

  residuals: [
    {
      category: "deleted_tickets",
      days: 30,
      ground: "Zendesk keeps what was deleted for up to 30 days before it is gone for good",
      source: TICKETS,
    },
  ],
  retainable: [SUPPORT_TICKETS],
  // The smallest plan allows 200 requests a minute; permanent deletions of users, 700 in ten minutes.
  limits: { perSecond: 3, connections: 1, account: { settings: ["subdomain"] } },
});

type ZendeskOrder = Order<typeof settings>;

/** https://developer.zendesk.com/api-reference/introduction/security-and-auth/#api-token */
const auth = ({ settings: { agentEmail, apiToken } }: ZendeskOrder) => ({
  authorization: `Basic ${btoa(`${agentEmail}/token:${apiToken}`)}`,
});

const meCall = (subdomain: string, accessToken: string) =>
  get(at`https://${{ subdomain }}.zendesk.com/api/v2/users/me.json`, bearer(accessToken), { expects: [401] });

function tokenSeen(reply: Reply): "absent" | "present" | Unforeseen {
  if (reply.status === 401) return "absent";
  const me = read(reply, Me);
  if (!me.ok) return me.problem;
  return me.value.user.id === null ? "absent" : "present";
}

const hostOf = ({ settings: { subdomain } }: ZendeskOrder) => ({ subdomain });

/** Some of Zendesk's tables have a slash before the name; both are taken. */
const named = (type: string) => /^zen:event-type[:/](.+)$/.exec(type)?.[1];

/**
 * A deletion is announced by `user.deleted`. `user.active_changed` comes at the same moment and is only noted, so that one
 * deletion opens one request, and whatever else may change that mark opens none.
 */
function signalsOf({ type, time, detail, event }: Event, receivedAt: number): readonly Signal[] {
  if (detail === undefined) return [];
  const at = time === undefined ? receivedAt : momentOf(time);
  const user = { type: "zendesk.user", value: detail.id };
  switch (named(type)) {
    case "user.deleted":
      return [{ type: "account_deleted", identity: user, at }];
    case "user.active_changed":
      if (event?.current === false) return [{ type: "account_disabled", identity: user, at }];
      return event?.current === true ? [{ type: "account_restored", identity: user, at }] : [];
    case "ticket.soft_deleted":
    case "ticket.permanently_deleted":
      return [{ type: "content_deleted", identity: { type: "zendesk.tickets", value: detail.id }, at }];
    default:
      return [];
  }
}

const momentOf = (time: string) =>
  time.includes(".") ? Date.parse(time) : withinSecond(Math.floor(Date.parse(time) / 1000));

/**
 * The search also finds users by a second address, and comes from an index, so each hit is compared; where the first
 * address is another one, all of the user's addresses are.
 * https://developer.zendesk.com/api-reference/ticketing/users/users/#search-users
 */
function* usersByEmail(email: string, order: ZendeskOrder): Steps<Answer> {
  if (/["\\\s]/.test(email)) return unforeseen(noCall, "an address with such characters cannot be searched for");
  const query = `email:"${email}"`;
  const users = usersIn(
    yield get(at`https://${hostOf(order)}.zendesk.com/api/v2/users/search?query=${{ query }}`, auth(order)),
  );
  if ("outcome" in users) return users;
  const ids: string[] = [];
  for (const { id, email: first } of users) {
    if (first?.toLowerCase() === email.toLowerCase()) {
      ids.push(id);
      continue;
    }
    const reply = yield get(
      at`https://${hostOf(order)}.zendesk.com/api/v2/users/${{ user: id }}/identities`,
      auth(order),
    );
    const identities = read(reply, Identities);
    if (!identities.ok) return identities.problem;
    const has = identities.value.identities.some(
      ({ type, value }) => type === "email" && value.toLowerCase() === email.toLowerCase(),
    );
    if (has) ids.push(id);
  }
  return found(ids.map(asUser));
}

function* usersByExternalId(external: string, order: ZendeskOrder): Steps<Answer> {
  const users = usersIn(
    yield get(at`https://${hostOf(order)}.zendesk.com/api/v2/users/search?external_id=${{ external }}`, auth(order)),
  );
  if ("outcome" in users) return users;
  if (users.some(({ external_id }) => external_id !== external))
    return unforeseen(noCall, "Zendesk found a user with another external id; check the spelling of both");
  return found(users.map(({ id }) => asUser(id)));
}

const asUser = (value: string): Identity => ({ type: "zendesk.user", value });

function usersIn(reply: Reply): readonly z.infer<typeof User>[] | Unforeseen {
  const users = read(reply, Users);
  if (!users.ok) return users.problem;
  const { users: hits, next_page } = users.value;
  return next_page == null ? hits : unforeseen(reply, "more than a hundred users fit; merge or delete them by hand");
}

/** Residues of one person; more are for an operator. */
const MOST_KEPT = 1000;

/**
 * The tickets go first, or are noted if they are kept, because afterwards nothing leads from the person to them. A user is
 * deleted twice: the first deletion hides, the second erases, product by product.
 */
function* eraseUser(user: string, order: ZendeskOrder): Steps<Answer> {
  const tickets: string[] = [];
  const keeps = order.keeps.has(SUPPORT_TICKETS);
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const page: TicketPage | Unforeseen = yield* ticketsOf(user, cursor, order);
    if ("outcome" in page) return page;
    if (keeps) tickets.push(...page.ids);
    else {
      // The index lags behind, and lists what an earlier attempt has deleted.
      const left = yield* ticketsLeft(page.ids, order);
      if ("outcome" in left) return left;
      if (left.ids.length > 0) return yield* eraseTickets(left.ids, order);
    }
    if (tickets.length > MOST_KEPT)
      return unforeseen(noCall, `more than ${MOST_KEPT} tickets are kept; erase some by hand`);
    cursor = page.next;
  }
  const kept = tickets.join(",");
  const address = at`https://${hostOf(order)}.zendesk.com/api/v2/users/${{ user }}`;
  const hidden = yield del(address, auth(order));
  // Unconfirmed: that this is how a user with tickets at work is refused.
  if (hidden.status === 422)
    return unforeseen(hidden, "Zendesk refuses to delete this user; close the user's open tickets, then retry");
  // Unconfirmed: that a user who was deleted before, or is unknown, gets 404 here. What follows tells the one from the other.
  if (hidden.status !== 404) {
    const body = read(hidden, OneUser);
    if (!body.ok) return body.problem;
  }
  const gone = yield del(at`https://${hostOf(order)}.zendesk.com/api/v2/deleted_users/${{ user }}`, auth(order));
  if (gone.status !== 404) {
    const body = read(gone, DeletedUser);
    return body.ok ? accepted(`user:${kept}`, 60) : body.problem;
  }
  if (hidden.status !== 404) return unforeseen(gone, "a user who was just deleted is not among the deleted ones");
  // Neither there nor among the deleted: never in this account, or erased before and perhaps still being erased.
  const statuses = yield get(statusesOf(user, order), auth(order));
  if (statuses.status !== 404) return progress(statuses, kept);
  return kept === "" ? notFound : ended(kept);
}

const statusesOf = (user: string, order: ZendeskOrder) =>
  at`https://${hostOf(order)}.zendesk.com/api/v2/users/${{ user }}/compliance_deletion_statuses`;

function* userGone(kept: string, order: ZendeskOrder): Steps<Answer> {
  const reply = yield get(statusesOf(order.identity.value, order), auth(order));
  // "If the user is not in the account, the request returns a 404 status", and here the second deletion was confirmed.
  return reply.status === 404 ? ended(kept) : progress(reply, kept);
}

/** Erased when every product that has begun is done. */
function progress(reply: Reply, kept: string): Answer {
  const body = read(reply, Statuses);
  if (!body.ok) return body.problem;
  const { compliance_deletion_statuses: statuses } = body.value;
  const done = new Set(statuses.flatMap(({ action, application }) => (action === "complete" ? [application] : [])));
  const isDone = statuses.every(({ action, application }) => action !== "started" || done.has(application));
  return done.size > 0 && isDone ? ended(kept) : accepted(`user:${kept}`, 3600);
}

/** An identity's value has room for so many ticket ids. */
const IDS_TOGETHER = 25;

function ended(kept: string): Answer {
  if (kept === "") return erased;
  const ids = kept.split(",");
  const chunks = Array.from({ length: Math.ceil(ids.length / IDS_TOGETHER) }, (_, nth) =>
    ids.slice(nth * IDS_TOGETHER, (nth + 1) * IDS_TOGETHER),
  );
  return retained(
    SUPPORT_TICKETS,
    chunks.map((chunk) => ({ type: "zendesk.tickets", value: chunk.join(",") })),
  );
}

type TicketPage = { readonly ids: readonly string[]; readonly next: string | undefined };

/**
 * The tickets that the user has sent, archived ones included.
 * https://developer.zendesk.com/api-reference/ticketing/ticket-management/search/#export-search-results
 */
function* ticketsOf(user: string, cursor: string, order: ZendeskOrder): Steps<TicketPage | Unforeseen> {
  const query = `requester:${user}`;
  const [filter, size, after] = [{ filter: "filter[type]" }, { size: "page[size]" }, { after: "page[after]" }];
  const list =
    cursor === ""
      ? at`https://${hostOf(order)}.zendesk.com/api/v2/search/export?query=${{ query }}&${filter}=ticket&${size}=100`
      : at`https://${hostOf(order)}.zendesk.com/api/v2/search/export?query=${{ query }}&${filter}=ticket&${size}=100&${after}=${{ cursor }}`;
  const reply = yield get(list, auth(order));
  const page = read(reply, Export);
  if (!page.ok) return page.problem;
  const { results, meta } = page.value;
  if (meta.has_more && meta.after_cursor == null)
    return unforeseen(reply, "a list that says it goes on, but not where");
  const own = results.filter(({ requester_id }) => requester_id === user);
  return { ids: own.map(({ id }) => id), next: meta.has_more ? (meta.after_cursor ?? undefined) : undefined };
}

function* ticketsLeft(
  tickets: readonly string[],
  order: ZendeskOrder,
): Steps<{ readonly ids: readonly string[] } | Unforeseen> {
  if (tickets.length === 0) return { ids: [] };
  const ids = tickets.join(",");
  const left = read(
    yield get(at`https://${hostOf(order)}.zendesk.com/api/v2/tickets/show_many?ids=${{ ids }}`, auth(order)),
    Tickets,
  );
  return left.ok ? { ids: left.value.tickets.map(({ id }) => id) } : left.problem;
}

/** Tickets are deleted twice too, each time by a job; it takes a hundred. */
function* eraseTickets(tickets: readonly string[], order: ZendeskOrder): Steps<Answer> {
  const ids = tickets.join(",");
  const reply = yield del(
    at`https://${hostOf(order)}.zendesk.com/api/v2/tickets/destroy_many?ids=${{ ids }}`,
    auth(order),
  );
  const job = read(reply, Job);
  return job.ok ? accepted(`hide:${job.value.job_status.id}:${ids}`, 15) : job.problem;
}

/** Those that were hidden before are erased with the others. */
function* ticketsHidden(job: string, ids: string, order: ZendeskOrder): Steps<Answer> {
  const standing = yield* jobStanding(job, order);
  if (standing === "at_work") return accepted(`hide:${job}:${ids}`, 30);
  return standing ?? (yield* eraseHidden(ids, order));
}

function* eraseHidden(ids: string, order: ZendeskOrder): Steps<Answer> {
  const job = read(
    yield del(at`https://${hostOf(order)}.zendesk.com/api/v2/deleted_tickets/destroy_many?ids=${{ ids }}`, auth(order)),
    Job,
  );
  return job.ok ? accepted(`job:${job.value.job_status.id}`, 15) : job.problem;
}

function* ticketsErased(job: string, order: ZendeskOrder): Steps<Answer> {
  const standing = yield* jobStanding(job, order);
  if (standing === "at_work") return accepted(`job:${job}`, 30);
  if (standing !== undefined) return standing;
  // A user's further tickets, and then the user, are the next attempt's.
  return order.identity.type === "zendesk.tickets" ? erased : { outcome: "more" };
}

/** Nothing where a job is done. https://developer.zendesk.com/api-reference/ticketing/ticket-management/job_statuses/ */
function* jobStanding(job: string, order: ZendeskOrder): Steps<"at_work" | Unforeseen | undefined> {
  const reply = yield get(at`https://${hostOf(order)}.zendesk.com/api/v2/job_statuses/${{ job }}`, auth(order));
  const body = read(reply, Job);
  if (!body.ok) return body.problem;
  const { status, results } = body.value.job_status;
  if (status === "queued" || status === "working") return "at_work";
  if (status !== "completed") return unforeseen(reply, "Zendesk could not erase the tickets");
  // Unconfirmed: how a ticket is called that is not there; anything but "not found" is shown to a person.
  const left = (results ?? []).filter(
    ({ success, error, details, status: state }) =>
      (success === false || error != null) && !/not ?found/i.test(`${error} ${details} ${state}`),
  );
  return left.length > 0 ? unforeseen(reply, `Zendesk could not erase ${left.length} of the tickets`) : undefined;
}

/** A user who is gone for good may still be shown, without an address and under another name. */
function* userSeen(user: string, order: ZendeskOrder): Steps<Sight> {
  const reply = yield get(at`https://${hostOf(order)}.zendesk.com/api/v2/users/${{ user }}`, auth(order));
  if (reply.status !== 404) {
    const body = read(reply, OneUser);
    if (!body.ok) return body.problem;
    if (body.value.user.active !== false) return "present";
  }
  const shown = yield get(at`https://${hostOf(order)}.zendesk.com/api/v2/deleted_users/${{ user }}`, auth(order));
  if (shown.status === 404) return "absent";
  const body = read(shown, DeletedUser);
  if (!body.ok) return body.problem;
  const { email, name } = body.value.deleted_user;
  return email == null && name === "Permanently Deleted User" ? "absent" : "present";
}

function* ticketsSeen(ids: string, order: ZendeskOrder): Steps<Sight> {
  const left = yield* ticketsLeft(ids.split(","), order);
  if ("outcome" in left) return left;
  return left.ids.length === 0 ? "absent" : "present";
}
