import { createHmac } from "node:crypto";
import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor: "shopify", client_secret}`: callbacks are signed with the app's secret. Whoever signs in has the shop of that number. */
const Seed = z.object({ client_secret: z.string().min(1) });
const Query = z.object({ query: z.string() });
const SECRET = "shpss_dev_sandbox";

/**
 * Shops that install an app: signed callbacks, scopes with commas, tokens of an hour that are renewed both at once, and an
 * uninstallation that ends all of them.
 *
 * @see https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant
 */
export const shopify: MakeVendor = (world) => {
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
    const token = c.req.header("x-shopify-access-token") ?? "";
    const holder = server.holder(token);
    if (holder === undefined)
      return c.json({ errors: "[API] Invalid API key or access token (unrecognized login or wrong password)" }, 401);
    const { query } = Query.parse(await c.req.json());
    if (!query.includes("appUninstall"))
      return c.json({ data: { shop: { id: `gid://shopify/Shop/${holder.account}` } } });
    server.end(token);
    return c.json({ data: { appUninstall: { app: { id: "gid://shopify/App/1" }, userErrors: [] } } });
  });
  return {
    id: "shopify",
    about: "{shop}.myshopify.com: shops that install an app",
    serves: (host) => /^[a-z0-9-]+\.myshopify\.com$/.test(host),
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }) => Response.json({ errors: reason }, { status }),
    seed(seed) {
      secret = Seed.parse(seed).client_secret;
      return {};
    },
    holdings: () => ({ grants: server.holdings() }),
    reset() {
      secret = SECRET;
      server.reset();
    },
  };
};
