import { createHmac } from "node:crypto";
import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const SHOP = /^[a-z0-9-]+\.myshopify\.com$/;

/** The app's: callbacks are signed with it. Another is seeded. */
const SECRET = "shpss_dev_sandbox";

/** `{vendor: "shopify", client_secret}`, or `{vendor: "shopify", shop: "acme", customers: [{id, email?}], mayErase?, throttled?: 1}` */
const Seed = z.union([
  z.object({ client_secret: z.string().min(1) }),
  z.object({
    shop: z.string(),
    customers: z.array(z.strictObject({ id: z.string(), email: z.string().nullable().default(null) })).default([]),
    mayErase: z.boolean().default(true),
    /** How many of the next calls are over the cost that the shop allows. */
    throttled: z.int().default(0),
  }),
]);
type Shop = {
  customers: { readonly id: string; email: string | null; requested: boolean }[];
  mayErase: boolean;
  throttled: number;
};

const Body = z.object({ query: z.string(), variables: z.record(z.string(), z.string()).default({}) });

/**
 * Shops, by the Admin API, of which it knows four documents: the search for customers, the request to erase one, the shop itself, and
 * the app's uninstallation. The erasure itself comes days or months later and is not played here.
 *
 * Shops install the app: signed callbacks, scopes with commas, tokens of an hour that are renewed both at once, and an
 * uninstallation that ends all of them. Whoever signs in has the shop of that number.
 *
 * @see https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant
 * @see https://shopify.dev/docs/api/admin-graphql/latest/mutations/customerRequestDataErasure
 */
export const shopify: MakeVendor = (world) => {
  const shops = new Map<string, Shop>();
  let secret = SECRET;
  const server = authorizationServer({
    now: world.now,
    by: "post",
    pkce: "ignored",
    forgetsRedirect: true,
    expiresIn: 3600,
    refresh: "rotated",
    kills: "account",
    answer: ({ accessToken, refreshToken, expiresIn, scopes }) =>
      Response.json({
        access_token: accessToken,
        expires_in: expiresIn,
        refresh_token: refreshToken,
        refresh_token_expires_in: 7_776_000,
        scope: scopes.join(","),
      }),
    refuse: () =>
      Response.json(
        { error: "invalid_request", error_description: "This request requires an active refresh_token" },
        { status: 401 },
      ),
  });

  const app = new Hono();
  app.all("/admin/oauth/authorize", async (c) => {
    const reply = await server.authorize(c.req.raw);
    const location = reply.headers.get("location");
    if (location === null) return reply;
    const url = new URL(location);
    url.searchParams.set("shop", new URL(c.req.url).host);
    url.searchParams.set("timestamp", String(Math.floor(world.now() / 1000)));
    url.searchParams.sort();
    const text = url.searchParams.toString().replaceAll("+", "%20");
    url.searchParams.set("hmac", createHmac("sha256", secret).update(text).digest("hex"));
    return new Response(null, { status: 302, headers: { location: url.href } });
  });
  app.post("/admin/oauth/access_token", (c) => server.token(c.req.raw));
  app.post("/admin/api/:version/graphql.json", async (c) => {
    const shop = shops.get(new URL(c.req.url).hostname);
    const token = c.req.header("x-shopify-access-token") ?? "";
    const { query, variables } = Body.parse(await c.req.json());
    const isOfApp = query.includes("appUninstall") || query.includes("shop {");
    const holder = isOfApp ? server.holder(token) : undefined;
    if (token === "" || (isOfApp && holder === undefined))
      return c.json({ errors: "[API] Invalid API key or access token (unrecognized login or wrong password)" }, 401);
    if (shop !== undefined && shop.throttled-- > 0)
      return c.json({ errors: [{ message: "Throttled", extensions: { code: "THROTTLED" } }] });
    if (holder !== undefined) {
      if (!query.includes("appUninstall"))
        return c.json({ data: { shop: { id: `gid://shopify/Shop/${holder.account}` } } });
      server.end(token);
      return c.json({ data: { appUninstall: { app: { id: "gid://shopify/App/1" }, userErrors: [] } } });
    }
    if (shop === undefined) return c.json({ errors: "Not Found" }, 404);
    if (query.includes("customers(")) {
      const [, email] = /^email:"([^"]*)"$/.exec(variables.search ?? "") ?? [];
      // Words are matched, so that more than the address may be found.
      const domain = email?.split("@")[1] ?? "";
      const nodes = shop.customers
        .filter((each) => each.email?.endsWith(domain))
        .map(({ id, email }) => ({ id: `gid://shopify/Customer/${id}`, email }));
      return c.json({ data: { customers: { nodes, pageInfo: { hasNextPage: false } } } });
    }
    if (!query.includes("customerRequestDataErasure("))
      return c.json({ errors: [{ message: "undefined field", extensions: { code: "undefinedField" } }] });
    if (!shop.mayErase) return c.json({ errors: [{ message: "Denied", extensions: { code: "ACCESS_DENIED" } }] });
    const customer = shop.customers.find(({ id }) => `gid://shopify/Customer/${id}` === variables.customer);
    if (customer !== undefined) customer.requested = true;
    const customerRequestDataErasure =
      customer === undefined
        ? {
            customerId: null,
            userErrors: [{ code: "DOES_NOT_EXIST", field: ["customerId"], message: "Customer does not exist" }],
          }
        : { customerId: variables.customer ?? null, userErrors: [] };
    return c.json({ data: { customerRequestDataErasure } });
  });

  return {
    id: "shopify",
    about: "{shop}.myshopify.com: the own shop's customers, and shops that install the app",
    serves: (host) => SHOP.test(host),
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => Response.json({ errors: reason }, { status }),
    seed(body) {
      const seed = Seed.parse(body);
      if ("client_secret" in seed) {
        secret = seed.client_secret;
        return [];
      }
      const { shop, customers, ...rest } = seed;
      shops.set(`${shop}.myshopify.com`, {
        ...rest,
        customers: customers.map((each) => ({ ...each, requested: false })),
      });
      return customers.map(({ id }) => id);
    },
    /** A shop is known by its host, which has a dot in it. */
    holdings() {
      const held: { readonly [shop: string]: Json } = Object.fromEntries(
        [...shops].map(([shop, { customers }]) => [shop, customers]),
      );
      return { ...held, grants: server.holdings() };
    },
    reset() {
      shops.clear();
      secret = SECRET;
      server.reset();
    },
  };
};
