import { createHash } from "node:crypto";
import { type Context, Hono } from "hono";
import { z } from "zod";
import { authorizationServer, rfc6749 } from "./authorization-server.ts";
import { everyone, shelf } from "./shelf.ts";
import type { MakeVendor, Refusal } from "./vendor.ts";

/** `{vendor: "paypal", account?: "<client id>", payment_tokens: [{id, customer, wallet?, email?}]}`: `email` is the payer's. */
const Seed = z.object({
  account: z.string().default(everyone),
  payment_tokens: z
    .array(
      z.strictObject({
        id: z.string(),
        customer: z.string(),
        wallet: z.boolean().default(false),
        email: z.string().optional(),
      }),
    )
    .default([]),
});

/** Unconfirmed: how long PayPal takes to delete a method of its own wallet; until then it can be read. */
const WALLET_MS = 120_000;
const TOKEN_MS = 9 * 3_600_000;
const PERSON_TOKEN_S = 8 * 3600;
const MOST_A_PAGE = 5;

/**
 * PayPal's vault: tokens of an app, and listing, reading and deleting payment methods. Each environment has its own. And Log in
 * with PayPal, where an access token can be ended and a consent cannot.
 *
 * @see https://github.com/paypal/paypal-rest-api-specifications
 */
export const paypal: MakeVendor = (world) => {
  const methods = shelf();
  const granted = new Map<string, { readonly account: string; readonly until: number }>();
  const doomed = new Map<string, { readonly account: string; readonly at: number }>();
  /** Whoever signs in is the account whose payer id they give. */
  const server = authorizationServer({
    now: world.now,
    by: "basic",
    pkce: "ignored",
    expiresIn: PERSON_TOKEN_S,
    refresh: "kept",
    kills: "grant",
    answer: ({ isRenewal, refreshToken, ...issued }) =>
      Response.json(
        rfc6749({ ...issued, isRenewal, ...(!isRenewal && refreshToken !== undefined && { refreshToken }) }),
      ),
  });
  const ended = new Set<string>();
  const catchUp = () => {
    for (const [id, { account, at }] of doomed)
      if (world.now() >= at) {
        methods.remove(account, id);
        doomed.delete(id);
      }
  };

  type Env = { Variables: { account: string } };
  const app = new Hono<Env>();
  app.all("/signin/authorize", (c) => server.authorize(c.req.raw));
  app.get("/v1/identity/oauth2/userinfo", (c) => {
    const [, token = ""] = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "") ?? [];
    const holder = ended.has(token) ? undefined : server.holder(token);
    if (holder === undefined) return c.json({ error: "invalid_token" }, 401);
    return c.json({
      user_id: `https://www.paypal.com/webapps/auth/identity/user/${holder.account}`,
      payer_id: holder.account,
    });
  });
  app.post("/v1/oauth2/token/terminate", async (c) => {
    if (server.clientOf(c.req.raw) === undefined) return c.json({ error: "invalid_client" }, 401);
    const { token } = z.object({ token: z.string() }).parse(await c.req.parseBody());
    ended.add(token);
    granted.delete(token);
    return c.body(null, 200);
  });
  app.post("/v1/oauth2/token", async (c) => {
    const asked = (await c.req.parseBody()).grant_type;
    if (asked === "authorization_code" || asked === "refresh_token") {
      // The body has been read; the server wants it as it came.
      const headers = new Headers(c.req.raw.headers);
      return server.token(new Request(c.req.url, { method: "POST", headers, body: await c.req.text() }));
    }
    const [, encoded = ""] = /^Basic (.+)$/.exec(c.req.header("authorization") ?? "") ?? [];
    const [, account, secret] = /^([^:]+):(.+)$/.exec(Buffer.from(encoded, "base64").toString()) ?? [];
    if (account === undefined || secret === undefined)
      return c.json({ error: "invalid_client", error_description: "Client Authentication failed" }, 401);
    const { grant_type } = await c.req.parseBody();
    if (grant_type !== "client_credentials") return c.json({ error: "unsupported_grant_type" }, 400);
    const text = `${account} ${new URL(c.req.url).host} ${world.now()}`;
    const access_token = `A21AA${createHash("sha256").update(text).digest("hex")}`;
    granted.set(access_token, { account, until: world.now() + TOKEN_MS });
    return c.json({ scope: "", access_token, token_type: "Bearer", app_id: "APP-1", expires_in: TOKEN_MS / 1000 });
  });
  app.use("/v3/*", async (c, next) => {
    const [, token = ""] = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "") ?? [];
    const grant = granted.get(token);
    if (grant === undefined || grant.until < world.now()) return paypalError(401, "INVALID_TOKEN");
    c.set("account", grant.account);
    catchUp();
    return next();
  });
  app.get("/v3/vault/payment-tokens", (c) => {
    const customer = c.req.query("customer_id") ?? "";
    const size = Number(c.req.query("page_size") ?? MOST_A_PAGE);
    const page = Number(c.req.query("page") ?? 1);
    const fits = /^[0-9a-zA-Z_-]{7,36}$/.test(customer) && size >= 1 && size <= MOST_A_PAGE && page >= 1 && page <= 10;
    if (!fits) return paypalError(400, "INVALID_REQUEST");
    const all = methods.list(c.get("account")).filter((method) => method.customer === customer);
    const payment_tokens = all.slice((page - 1) * size, page * size).map(({ id }) => wire(id, customer));
    return c.json({ customer: { id: customer }, payment_tokens });
  });
  const one = (c: Context<Env, "/:id">) => methods.get(c.get("account"), c.req.param("id"));
  app.get("/v3/vault/payment-tokens/:id", (c) => {
    const method = one(c);
    return method ? c.json(wire(method.id, String(method.customer))) : paypalError(404, "RESOURCE_NOT_FOUND");
  });
  app.delete("/v3/vault/payment-tokens/:id", (c) => {
    const method = one(c);
    if (method === undefined) return paypalError(404, "RESOURCE_NOT_FOUND");
    if (method.wallet === true) doomed.set(method.id, { account: c.get("account"), at: world.now() + WALLET_MS });
    else methods.remove(c.get("account"), method.id);
    return c.body(null, 204);
  });
  app.notFound(() => paypalError(404, "RESOURCE_NOT_FOUND"));

  return {
    id: "paypal",
    about: "api-m.paypal.com and www.paypal.com, and their sandbox: payment methods, Log in with PayPal",
    serves: (host) => /^(api-m|www)\.(sandbox\.)?paypal\.com$/.test(host),
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => paypalError(status, WORDS[reason]),
    seed(body) {
      const { account, payment_tokens } = Seed.parse(body);
      return {
        payment_tokens: payment_tokens.map(
          ({ email, ...method }) => methods.put(account, { ...method, ...(email !== undefined && { email }) }).id,
        ),
      };
    },
    holdings() {
      catchUp();
      return { payment_tokens: methods.shown(), grants: server.holdings() };
    },
    reset() {
      methods.clear();
      granted.clear();
      ended.clear();
      server.reset();
      doomed.clear();
    },
  };
};

const WORDS = {
  rate_limited: "RATE_LIMIT_REACHED",
  server_error: "INTERNAL_SERVER_ERROR",
  unauthorized: "AUTHENTICATION_FAILURE",
};

const wire = (id: string, customer: string) => ({ id, customer: { id: customer }, payment_source: {}, links: [] });

const paypalError = (status: number, name: string) =>
  Response.json({ name, message: "It could not be done.", debug_id: "0123456789abc" }, { status });
