import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import { PostSeed, posts } from "./posts.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor: "pinterest", end: "549755885175"}`: that user removes the app. `posts: [{id, account}]` are pins. */
const Seed = z.object({ end: z.string().optional(), posts: PostSeed });

/**
 * OAuth 2.0 of Pinterest: refusals with numbers of its own, refresh tokens that are renewed with each use, and no call that ends
 * a grant. Whoever signs in is the user whose number they give.
 *
 * @see https://developers.pinterest.com/docs/getting-started/set-up-authentication-and-authorization/
 */
export const pinterest: MakeVendor = (world) => {
  const server = authorizationServer({
    now: world.now,
    by: "basic",
    pkce: "ignored",
    expiresIn: 2_592_000,
    refresh: "rotated",
    kills: "grant",
    answer: ({ accessToken, refreshToken, expiresIn, scopes }) =>
      Response.json({
        response_type: "authorization_code",
        access_token: accessToken,
        token_type: "bearer",
        expires_in: expiresIn,
        scope: scopes.join(" "),
        refresh_token: refreshToken,
        refresh_token_expires_in: 5_184_000,
      }),
    refuse: (error) =>
      error === "invalid_client"
        ? Response.json({ code: 2, message: "Authentication failed." }, { status: 401 })
        : Response.json({ code: 283, message: "The authorization grant is invalid" }, { status: 400 }),
  });
  const app = new Hono();
  app.all("/oauth/", (c) => server.authorize(c.req.raw));
  app.post("/v5/oauth/token", (c) => server.token(c.req.raw));
  app.get("/v5/user_account", (c) => {
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return c.json({ code: 2, message: "Authentication failed." }, 401);
    return c.json({ id: holder.account, username: `user_${holder.account}`, account_type: "PINNER" });
  });
  const published = posts();
  app.get("/v5/pins/:pin", (c) => {
    const id = c.req.param("pin");
    if (server.bearer(c.req.raw) === undefined) return c.json({ code: 2, message: "Authentication failed." }, 401);
    return published.has(id) ? c.json({ id }) : c.json({ code: 50, message: "Pin not found." }, 404);
  });
  app.delete("/v5/pins/:pin", (c) => {
    const id = c.req.param("pin");
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return c.json({ code: 2, message: "Authentication failed." }, 401);
    if (!published.has(id)) return c.json({ code: 50, message: "Pin not found." }, 404);
    if (published.authorOf(id) !== holder.account || !holder.scopes.includes("pins:write"))
      return c.json({ code: 29, message: "You are not permitted to access that resource." }, 403);
    published.remove(id);
    return c.body(null, 204);
  });
  return {
    id: "pinterest",
    about: "www.pinterest.com and api.pinterest.com: what people have granted to an app",
    serves: (host) => host === "www.pinterest.com" || host === "api.pinterest.com",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ code: status === 401 ? 2 : 0, message: "no" }, { status }),
    seed(seed) {
      const { end, posts: seeded } = Seed.parse(seed);
      published.put(seeded);
      if (end !== undefined) server.endAccount(end);
      return {};
    },
    holdings: () => ({ grants: server.holdings(), posts: published.holdings() }),
    reset: () => {
      server.reset();
      published.clear();
    },
  };
};
