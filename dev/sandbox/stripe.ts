import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { read } from "./admin.ts";
import { authorizationServer } from "./authorization-server.ts";
import { everyone, fieldsOf, shelf, type Thing } from "./shelf.ts";
import { redactionJobs } from "./stripe-redaction.ts";
import { plant, Seed } from "./stripe-seed.ts";
import {
  accept,
  fingerprintOf,
  form,
  limitOf,
  list,
  masked,
  missing,
  oauthRefusal,
  refusal,
  refused,
  type StripeEnv,
  type StripeState,
  secretKey,
  slotOf,
  stripeRefusal,
  unauthorized,
  unknown,
  unrecognized,
} from "./stripe-wire.ts";
import type { Json, MakeVendor } from "./vendor.ts";

const DAY_MS = 86_400_000;
const API_VERSION = "2026-10-28.endive";

const Settings = z.strictObject({
  /** How redaction jobs move on: a step each time they are read, or each so many seconds of the sandbox's clock. */
  pace: z.union([z.literal("per_read"), z.strictObject({ seconds: z.number().min(0) })]).optional(),
  redacts_deleted_customers: z.boolean().optional(),
});

/**
 * Stripe: customers and what hangs off them, redaction jobs, Connect: accounts that connect themselves, and deauthorization.
 *
 * Deleting a customer removes that object and cancels its subscriptions; payment intents, charges, invoices and payment
 * methods keep the personal data that they hold. Each secret key is an account of its own; `Stripe-Account` acts on a
 * connected one.
 *
 * @see https://docs.stripe.com/api/errors and https://docs.stripe.com/api/authentication: errors, keys
 * @see https://docs.stripe.com/api/customers: reading, updating, deleting
 * @see https://docs.stripe.com/api/pagination and https://docs.stripe.com/search: lists, search
 * @see https://docs.stripe.com/connect/oauth-reference: authorization, tokens, deauthorization
 */
export const stripe: MakeVendor = (world) => {
  const state: StripeState = {
    customers: shelf(),
    payment_intents: shelf(),
    charges: shelf(),
    invoices: shelf(),
    payment_methods: shelf(),
    subscriptions: shelf(),
    redaction_jobs: shelf(),
  };
  const connected = new Map<string, { client_id: string; platform: string }>();
  const firstResults = new Map<string, { fingerprint: string; status: number; body: string; at: number }>();
  const events: Thing[] = [];
  let calls = 0;
  const seconds = () => Math.floor(world.now() / 1000);
  /** Whoever signs in is the account whose id they give. */
  const server = authorizationServer({
    now: world.now,
    by: "post",
    pkce: "ignored",
    forgetsRedirect: true,
    refresh: "kept",
    kills: "account",
    answer: ({ accessToken, refreshToken, scopes, account }) =>
      Response.json({
        access_token: accessToken,
        livemode: false,
        refresh_token: refreshToken,
        token_type: "bearer",
        stripe_publishable_key: "pk_test_connected",
        stripe_user_id: account,
        scope: scopes.join(" "),
      }),
  });

  /** @see https://docs.stripe.com/api/events/object */
  const happened = (type: string, object: Json, cause: { account?: string; request?: string } = {}) => {
    const id = `evt_${String(events.length + 1).padStart(8, "0")}`;
    const event: Thing = {
      id,
      object: "event",
      api_version: API_VERSION,
      created: seconds(),
      livemode: false,
      type,
      ...(cause.account !== undefined && { account: cause.account }),
      pending_webhooks: 1,
      request: { id: cause.request ?? null, idempotency_key: null },
      data: { object },
    };
    events.push(event);
    world.announce("stripe", event);
  };

  const app = new Hono<StripeEnv>({ getPath: (request) => request.url.replace(/^https?:\/([^?#]*).*$/, "$1") });
  app.use(async (c, next) => {
    calls += 1;
    c.set("requestId", `req_${String(calls).padStart(8, "0")}`);
    await next();
    c.header("request-id", c.get("requestId"));
    c.header("stripe-version", c.req.header("stripe-version") ?? API_VERSION);
  });
  app.notFound((c) => refusal(404, unrecognized(c)));

  app.all("/connect.stripe.com/oauth/authorize", (c) => server.authorize(c.req.raw));
  app.post("/connect.stripe.com/oauth/token", async (c) => {
    const reply = await server.token(c.req.raw);
    const fields = new URLSearchParams(await c.req.raw.clone().text());
    const { stripe_user_id: account } = z
      .object({ stripe_user_id: z.string().optional() })
      .parse(await reply.clone().json());
    if (account !== undefined)
      connected.set(account, { client_id: fields.get("client_id") ?? "", platform: fields.get("client_secret") ?? "" });
    return reply;
  });
  // The account that a key is of: here one that was made by connecting.
  app.get("/api.stripe.com/v1/account", (c) => {
    const holder = server.bearer(c.req.raw);
    return holder === undefined ? unauthorized("sk_test_0000") : c.json({ id: holder.account, object: "account" });
  });

  const api = app.basePath("/api.stripe.com/v1");
  api.use(async (c, next) => {
    c.set("account", accountOf(c));
    if (c.req.method === "POST" && /json/.test(c.req.header("content-type") ?? ""))
      throw refused(400, {
        message: "Invalid request (check that your POST content type is application/x-www-form-urlencoded).",
      });
    return idempotently(c, next);
  });

  const accountOf = (c: Context): string => {
    const key = secretKey(c.req.raw);
    if (key === undefined)
      throw refused(401, {
        message:
          "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth.",
      });
    if (!/^sk_test_\w+$/.test(key)) throw new HTTPException(401, { res: unauthorized(key) });
    const account = c.req.header("stripe-account");
    if (account === undefined) return key;
    const platform = connected.get(account)?.platform;
    if (platform === key || platform === everyone) return account;
    throw refused(403, {
      code: "account_invalid",
      message: `The provided key '${masked(key)}' does not have access to account '${account}' (or that account does not exist). Application access may have been revoked.`,
    });
  };

  /**
   * Replays the first result of a POST with an idempotency key for 24 hours, errors of the endpoint itself included.
   * What was refused before the endpoint began (parameters, credentials, rate) is not kept.
   *
   * @see https://docs.stripe.com/api/idempotent_requests
   */
  const idempotently = async (c: Context, next: () => Promise<void>): Promise<Response | undefined> => {
    const key = c.req.header("idempotency-key");
    if (c.req.method !== "POST" || key === undefined) return void (await next());
    if (key.length > 255)
      throw refused(400, {
        message: "Idempotency keys may be at most 255 characters long.",
        type: "idempotency_error",
      });
    const fingerprint = await fingerprintOf(c.req.raw);
    const first = firstResults.get(slotOf(c.req.raw, key));
    if (first && world.now() - first.at < DAY_MS) {
      if (first.fingerprint !== fingerprint)
        throw refused(400, {
          type: "idempotency_error",
          message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
        });
      return Response.json(JSON.parse(first.body), {
        status: first.status,
        headers: { "idempotent-replayed": "true" },
      });
    }
    await next();
    if (![400, 401, 403, 429].includes(c.res.status)) await keep(c.req.raw, key, fingerprint, c.res.clone());
  };
  const keep = async (request: Request, key: string, fingerprint: string, answer: Response) => {
    const first = { fingerprint, status: answer.status, body: await answer.text(), at: world.now() };
    firstResults.set(slotOf(request, key), first);
  };

  /** What the account sees under this id; throws Stripe's `resource_missing`. */
  const found = (c: Context<StripeEnv>, kind: keyof StripeState, id: string): Thing => {
    const thing = state[kind].get(c.get("account"), id);
    if (thing) return thing;
    throw missing(kind, id, "id", 404);
  };

  api.get("/customers", (c) => {
    accept(c, ["email"]);
    const email = c.req.query("email");
    const living = state.customers.list(c.get("account")).filter(({ deleted }) => deleted !== true);
    return list(c, "customers", email === undefined ? living : living.filter((customer) => customer.email === email));
  });
  // At Stripe a search lags behind writes by up to a minute; here it does not.
  api.get("/customers/search", (c) => {
    accept(c, ["query", "page"]);
    const query = c.req.query("query") ?? "";
    const [, operator, quoted] = /^\s*email\s*([:~])\s*(?:'((?:[^'\\]|\\.)*)'|"(?:[^"\\]|\\.)*")\s*$/.exec(query) ?? [];
    const sought = (quoted ?? /"(.*)"/.exec(query)?.[1])?.replaceAll(/\\(.)/g, "$1").toLowerCase();
    if (operator === undefined || sought === undefined)
      throw refused(400, { message: `The stand-in searches by email only, not by: ${query}`, param: "query" });
    const hits = state.customers.list(c.get("account")).filter(({ email }) => {
      const text = String(email ?? "").toLowerCase();
      return operator === ":" ? text === sought : text.includes(sought);
    });
    const end = Number(c.req.query("page") ?? 0) + limitOf(c);
    return c.json({
      object: "search_result",
      url: "/v1/customers/search",
      has_more: hits.length > end,
      data: hits.toReversed().slice(end - limitOf(c), end),
      next_page: hits.length > end ? String(end) : null,
    });
  });
  // A deleted customer can still be read, with hardly a field left.
  api.get("/customers/:id", (c) => c.json(found(c, "customers", c.req.param("id"))));
  api.post("/customers/:id", async (c) => {
    const customer = found(c, "customers", c.req.param("id"));
    if (customer.deleted === true) throw missing("customers", customer.id, "id", 404);
    for (const [field, value] of await form(c)) {
      const metadata = /^metadata\[(.+)\]$/.exec(field)?.[1];
      if (metadata !== undefined) customer.metadata = { ...fieldsOf(customer.metadata), [metadata]: value };
      else if (["email", "name", "phone", "description"].includes(field)) customer[field] = value === "" ? null : value;
      else throw unknown(field);
    }
    return c.json(customer);
  });
  // Unconfirmed: what a second deletion answers. `resource_missing` is what the reference suggests.
  api.delete("/customers/:id", (c) => {
    const customer = found(c, "customers", c.req.param("id"));
    if (customer.deleted === true) throw missing("customers", customer.id, "id", 404);
    for (const subscription of state.subscriptions.list(c.get("account")))
      if (subscription.customer === customer.id) cancelSubscription(subscription);
    const gone = { id: customer.id, object: "customer", deleted: true };
    state.customers.put(c.get("account"), gone);
    happened("customer.deleted", customer, { request: c.get("requestId") });
    return c.json(gone);
  });
  api.get("/customers/:id/payment_methods", (c) => {
    const { id } = found(c, "customers", c.req.param("id"));
    accept(c, ["type"]);
    const methods = state.payment_methods.list(c.get("account")).filter(({ customer }) => customer === id);
    return list(c, `customers/${id}/payment_methods`, methods);
  });

  for (const kind of ["payment_intents", "charges", "invoices", "subscriptions", "payment_methods"] as const) {
    api.get(`/${kind}`, (c) => {
      accept(c, ["customer", "payment_intent", "status", "type"]);
      const customer = c.req.query("customer");
      // Unconfirmed: the status when the customer does not exist. A deleted one exists, to track its history.
      if (customer !== undefined && !state.customers.get(c.get("account"), customer))
        throw missing("customers", customer, "customer", 400);
      const intent = c.req.query("payment_intent");
      const status = c.req.query("status");
      const things = state[kind]
        .list(c.get("account"))
        .filter((thing) => customer === undefined || thing.customer === customer)
        .filter((thing) => intent === undefined || thing.payment_intent === intent)
        // Canceled subscriptions are left out unless asked for.
        .filter((thing) => kind !== "subscriptions" || status === "all" || thing.status === (status ?? "active"));
      return list(c, kind, things);
    });
    api.get(`/${kind}/:id`, (c) => c.json(found(c, kind, c.req.param("id"))));
  }
  const cancelSubscription = (subscription: Thing) => {
    if (subscription.status === "canceled") return;
    Object.assign(subscription, { status: "canceled", canceled_at: seconds(), ended_at: seconds() });
    happened("customer.subscription.deleted", subscription);
  };
  api.delete("/subscriptions/:id", (c) => {
    const subscription = found(c, "subscriptions", c.req.param("id"));
    if (subscription.status === "canceled") throw missing("subscriptions", subscription.id, "id", 404);
    cancelSubscription(subscription);
    return c.json(subscription);
  });
  api.post("/payment_intents/:id/cancel", (c) => {
    const intent = found(c, "payment_intents", c.req.param("id"));
    if (intent.status === "succeeded" || intent.status === "canceled")
      throw refused(400, {
        code: "payment_intent_unexpected_state",
        message: `You cannot cancel this PaymentIntent because it has a status of ${intent.status}.`,
      });
    return c.json(Object.assign(intent, { status: "canceled", canceled_at: seconds() }));
  });

  const jobs = redactionJobs({ state, now: world.now, happened, events });
  api.route("/privacy/redaction_jobs", jobs.routes);
  // https://docs.stripe.com/api/payment_methods/update: an empty value unsets a billing detail.
  api.post("/payment_methods/:id", async (c) => {
    const method = found(c, "payment_methods", c.req.param("id"));
    const details = { ...fieldsOf(method.billing_details) };
    for (const [field, value] of await form(c)) {
      const name = /^billing_details\[(email|name|phone|address)\]$/.exec(field)?.[1];
      if (name === undefined) throw unknown(field);
      details[name] = value === "" ? null : value;
    }
    return c.json(Object.assign(method, { billing_details: details }));
  });
  api.post("/payment_methods/:id/detach", (c) => c.json(jobs.detach(found(c, "payment_methods", c.req.param("id")))));

  // The OAuth host has errors of its own shape; the message is the one that Stripe's SDKs test against, status 401.
  app.post("/connect.stripe.com/oauth/deauthorize", async (c) => {
    const fields = await form(c);
    const key = secretKey(c.req.raw) ?? fields.get("client_secret") ?? "";
    if (!/^sk_test_\w+$/.test(key)) return oauthRefusal(401, "invalid_client", `No such API key: ${masked(key)}`);
    const [account, client] = [fields.get("stripe_user_id"), fields.get("client_id")];
    if (!account || !client)
      return oauthRefusal(400, "invalid_request", `No ${client ? "stripe_user_id" : "client_id"} was provided.`);
    const grant = connected.get(account);
    if (grant?.client_id !== client || (grant.platform !== key && grant.platform !== everyone)) {
      const what = `This application is not connected to stripe account ${account}, or that account does not exist.`;
      return oauthRefusal(401, "invalid_client", what);
    }
    connected.delete(account);
    server.endAccount(account);
    const application = { id: client, object: "application", name: null };
    happened("account.application.deauthorized", application, { account, request: c.get("requestId") });
    return c.json({ stripe_user_id: account });
  });

  const admin = new Hono();
  admin.put("/stripe/settings", async (c) => c.json(jobs.set(await read(c, Settings))));

  return {
    id: "stripe",
    about: "api.stripe.com, connect.stripe.com",
    serves: (host) => host === "api.stripe.com" || host === "connect.stripe.com",
    call: async (request) => app.fetch(request),
    refuse: stripeRefusal,
    async remember(request, answer) {
      const key = request.headers.get("idempotency-key");
      if (request.method === "POST" && key !== null) await keep(request, key, await fingerprintOf(request), answer);
    },
    seed(seed) {
      const { account, customers, connected: grants } = Seed.parse(seed);
      for (const { id, ...grant } of grants) connected.set(id, grant);
      return { customers: customers.map((customer) => plant(state, account, customer, seconds())) };
    },
    holdings() {
      jobs.settle();
      return {
        ...Object.fromEntries(Object.entries(state).map(([kind, things]) => [kind, things.shown()])),
        connected: Object.fromEntries(connected),
        grants: server.holdings(),
      };
    },
    events: () => events,
    admin,
    reset() {
      for (const things of Object.values(state)) things.clear();
      for (const map of [connected, firstResults]) map.clear();
      events.length = 0;
      server.reset();
      jobs.reset();
    },
  };
};
