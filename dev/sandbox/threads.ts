import { Hono } from "hono";
import { z } from "zod";
import { dead, graphRefusal, graphTokens, unseen } from "./graph-tokens.ts";
import { PostSeed, posts } from "./posts.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor: "threads", end: "17841…"}`: that user removes the app. `posts: [{id, account}]` are published. */
const Seed = z.object({ end: z.string().optional(), posts: PostSeed });

const HOSTS: ReadonlySet<string> = new Set(["threads.com", "graph.threads.net"]);

/**
 * Threads: whoever signs in is the user whose number they give, and that number is written without quotes.
 *
 * @see https://developers.facebook.com/docs/threads/get-started/get-access-tokens-and-permissions
 */
export const threads: MakeVendor = (world) => {
  const tokens = graphTokens({
    now: world.now,
    shortSeconds: 3600,
    longSeconds: 5_183_944,
    answer: ({ token, account }) =>
      new Response(`{"access_token":"${token}","user_id":${account}}`, {
        headers: { "content-type": "application/json" },
      }),
  });
  const published = posts();
  /** Whoever is not its author is shown as little as of one that is not there. */
  const own = (request: Request, id: string) => {
    const holder = tokens.holder(request);
    return holder !== undefined && published.authorOf(id) === holder.account ? holder : undefined;
  };
  const app = new Hono();
  app.all("/oauth/authorize", (c) => tokens.server.authorize(c.req.raw));
  app.post("/oauth/access_token", (c) => tokens.server.token(c.req.raw));
  app.get("/access_token", (c) => tokens.lengthen(c.req.query("access_token")));
  app.get("/refresh_access_token", (c) => tokens.renew(c.req.query("access_token")));
  app.get("/v1.0/me", (c) => tokens.me(c.req.raw));
  app.get("/v1.0/:post", (c) => {
    const id = c.req.param("post");
    if (tokens.holder(c.req.raw) === undefined) return dead();
    return own(c.req.raw, id) === undefined ? unseen("get", id) : c.json({ id });
  });
  app.delete("/v1.0/:post", (c) => {
    const id = c.req.param("post");
    if (tokens.holder(c.req.raw) === undefined) return dead();
    const holder = own(c.req.raw, id);
    if (holder === undefined) return unseen("delete", id);
    if (!holder.scopes.includes("threads_delete"))
      return graphRefusal("Application does not have permission for this action", 10);
    published.remove(id);
    return c.json({ success: true, deleted_id: id });
  });
  return {
    id: "threads",
    about: "Threads: threads.com and graph.threads.net",
    serves: (host) => HOSTS.has(host),
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ error: { message: "no", type: "OAuthException", code: 2 } }, { status }),
    seed(seed) {
      const { end, posts: seeded } = Seed.parse(seed);
      published.put(seeded);
      if (end !== undefined) tokens.end(end);
      return {};
    },
    holdings: () => ({ grants: tokens.holdings(), posts: published.holdings() }),
    reset: () => {
      tokens.reset();
      published.clear();
    },
  };
};
