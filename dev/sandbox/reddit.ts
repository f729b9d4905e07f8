import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import { PostSeed, posts } from "./posts.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor: "reddit", end: "ada1"}`: that user removes the app. `posts: [{id, account}]` are by their full names. */
const Seed = z.object({ end: z.string().optional(), posts: PostSeed });

/**
 * OAuth 2.0 of Reddit: a code that is no good is refused inside 200, a refresh token with 400, and a revocation is answered 204 whatever the
 * token. Whoever signs in is the user whose id they give.
 *
 * @see https://github.com/reddit-archive/reddit/blob/master/r2/r2/controllers/oauth2.py
 */
export const reddit: MakeVendor = (world) => {
  const server = authorizationServer({
    now: world.now,
    by: "basic",
    pkce: "ignored",
    expiresIn: 3600,
    refresh: "kept",
    kills: "grant",
    answer: ({ accessToken, refreshToken, expiresIn, scopes, isRenewal }) =>
      Response.json({
        access_token: accessToken,
        token_type: "bearer",
        expires_in: expiresIn,
        scope: scopes.join(" "),
        ...(!isRenewal && { refresh_token: refreshToken }),
      }),
    refuse: (error) =>
      error === "invalid_client"
        ? Response.json({ message: "Unauthorized", error: 401 }, { status: 401 })
        : Response.json({ error }),
  });
  const app = new Hono();
  app.all("/api/v1/authorize", (c) => server.authorize(c.req.raw));
  app.post("/api/v1/access_token", async (c) => {
    const form = new URLSearchParams(await c.req.raw.clone().text());
    const reply = await server.token(c.req.raw);
    const said: { readonly error?: unknown } = await reply.clone().json();
    return form.get("grant_type") === "refresh_token" && said.error === "invalid_grant"
      ? c.json({ error: "invalid_request" }, 400)
      : reply;
  });
  app.post("/api/v1/revoke_token", async (c) => {
    const reply = await server.revoke(c.req.raw);
    return reply.status === 200 ? c.body(null, 204) : reply;
  });
  app.get("/api/v1/me", (c) => {
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return c.json({ message: "Unauthorized", error: 401 }, 401);
    return c.json({ id: holder.account, name: `user_${holder.account}` });
  });
  const published = posts();
  /** They stay in their threads, as nobody's. */
  const deleted = new Set<string>();
  const unauthorized = () => Response.json({ message: "Unauthorized", error: 401 }, { status: 401 });
  app.get("/api/info", (c) => {
    if (server.bearer(c.req.raw) === undefined) return unauthorized();
    const id = c.req.query("id") ?? "";
    const account = published.authorOf(id);
    const children = [
      ...(account === undefined ? [] : [{ name: id, author: `user_${account}`, author_fullname: `t2_${account}` }]),
      ...(deleted.has(id) ? [{ name: id, author: "[deleted]", selftext: "[deleted]" }] : []),
    ];
    return c.json({ kind: "Listing", data: { children: children.map((data) => ({ kind: "t3", data })) } });
  });
  // Of what is another's, or nowhere, it answers just as of one's own.
  app.post("/api/del", async (c) => {
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return unauthorized();
    if (!holder.scopes.includes("edit")) return c.json({ message: "Forbidden", error: 403 }, 403);
    const id = new URLSearchParams(await c.req.text()).get("id") ?? "";
    if (published.authorOf(id) === holder.account) {
      published.remove(id);
      deleted.add(id);
    }
    return c.json({});
  });
  return {
    id: "reddit",
    about: "www.reddit.com and oauth.reddit.com: what people have granted to an app",
    serves: (host) => host === "www.reddit.com" || host === "oauth.reddit.com",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ message: "no", error: status }, { status }),
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
