import { Hono } from "hono";
import { z } from "zod";
import { dead, graphTokens, unseen } from "./graph-tokens.ts";
import { PostSeed, posts } from "./posts.ts";
import { derivedId } from "./shelf.ts";
import type { MakeVendor } from "./vendor.ts";

/**
 * `{vendor: "facebook", end: "1001"}`: that user removes the app. `pages: [{id, managers}]` are Pages; `posts: [{id, account}]` are
 * their posts, of which `account` is the Page.
 */
const Seed = z.object({
  end: z.string().optional(),
  pages: z.array(z.strictObject({ id: z.string(), managers: z.array(z.string()) })).default([]),
  posts: PostSeed,
});

const POST = /^\/v[\d.]+\/(\d+)_\d+$/;
const PAGE = /^\/v[\d.]+\/(\d+)$/;
const pageToken = (page: string): string => derivedId("EAAP", page);

/**
 * Facebook Login's dialog and tokens, for whoever signs in by the user id that they give. It takes the addresses of the Graph
 * that it needs, and of permissions only those of its own people; the rest is the `meta` stand-in's.
 *
 * @see https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow
 */
export const facebook: MakeVendor = (world) => {
  const tokens = graphTokens({
    now: world.now,
    shortSeconds: 5183,
    longSeconds: 5_183_999,
    answer: ({ token }) => Response.json({ access_token: token, token_type: "bearer", expires_in: 5183 }),
  });
  const published = posts();
  const pages = new Map<string, readonly string[]>();
  /** Whether a request comes with the token of the Page that the post is of. */
  const isPages = (request: Request, post: string): boolean =>
    published.has(post) &&
    request.headers.get("authorization") === `Bearer ${pageToken(published.authorOf(post) ?? "")}`;
  const app = new Hono();
  app.get("/:version/:id{\\d+}", (c) => {
    const id = c.req.param("id");
    const holder = tokens.holder(c.req.raw);
    if (holder === undefined) return dead();
    if (!pages.has(id)) return unseen("get", id);
    const isManaged = pages.get(id)?.includes(holder.account) === true;
    return c.json({ ...(isManaged && { access_token: pageToken(id) }), id });
  });
  app.get("/:version/:id{\\d+_\\d+}", (c) => {
    const id = c.req.param("id");
    return isPages(c.req.raw, id) ? c.json({ id }) : unseen("get", id);
  });
  app.delete("/:version/:id{\\d+_\\d+}", (c) => {
    const id = c.req.param("id");
    if (!isPages(c.req.raw, id)) return unseen("delete", id);
    published.remove(id);
    return c.json({ success: true });
  });
  app.all("/:version/dialog/oauth", (c) => tokens.server.authorize(c.req.raw));
  app.post("/:version/oauth/access_token", async (c) => {
    const form = new URLSearchParams(await c.req.raw.clone().text());
    if (form.get("grant_type") === "fb_exchange_token") return tokens.lengthen(form.get("fb_exchange_token"));
    return tokens.server.token(c.req.raw);
  });
  app.get("/:version/me", (c) => tokens.me(c.req.raw));
  app.delete("/:version/:user/permissions", (c) => {
    tokens.end(c.req.param("user"));
    return c.json({ success: true });
  });
  return {
    id: "facebook",
    about: "Facebook Login: www.facebook.com, and what it needs of graph.facebook.com",
    serves: (host) => host === "www.facebook.com",
    standsAt({ hostname, pathname }, method) {
      if (hostname !== "graph.facebook.com") return false;
      if (/^\/v[\d.]+\/(oauth\/access_token|me)$/.test(pathname)) return true;
      if (POST.test(pathname) || (method === "GET" && pages.has(PAGE.exec(pathname)?.[1] ?? ""))) return true;
      const user = /^\/v[\d.]+\/(\w+)\/permissions$/.exec(pathname)?.[1];
      return method === "DELETE" && user !== undefined && tokens.holds(user);
    },
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ error: { message: "no", type: "OAuthException", code: 2 } }, { status }),
    seed(seed) {
      const { end, pages: seededPages, posts: seeded } = Seed.parse(seed);
      for (const { id, managers } of seededPages) pages.set(id, managers);
      published.put(seeded);
      if (end !== undefined) tokens.end(end);
      return {};
    },
    holdings: () => ({ grants: tokens.holdings(), posts: published.holdings() }),
    reset: () => {
      tokens.reset();
      pages.clear();
      published.clear();
    },
  };
};
