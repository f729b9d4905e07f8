import { Hono } from "hono";
import { z } from "zod";
import { graphTokens } from "./graph-tokens.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor: "facebook", end: "1001"}`: that user removes the app. */
const Seed = z.object({ end: z.string().optional() });

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
  const app = new Hono();
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
      const user = /^\/v[\d.]+\/(\w+)\/permissions$/.exec(pathname)?.[1];
      return method === "DELETE" && user !== undefined && tokens.holds(user);
    },
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ error: { message: "no", type: "OAuthException", code: 2 } }, { status }),
    seed(seed) {
      const { end } = Seed.parse(seed);
      if (end !== undefined) tokens.end(end);
      return {};
    },
    holdings: () => ({ grants: tokens.holdings() }),
    reset: () => tokens.reset(),
  };
};
