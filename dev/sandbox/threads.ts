import { Hono } from "hono";
import { z } from "zod";
import { graphTokens } from "./graph-tokens.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor: "threads", end: "17841…"}`: that user removes the app. */
const Seed = z.object({ end: z.string().optional() });

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
  const app = new Hono();
  app.all("/oauth/authorize", (c) => tokens.server.authorize(c.req.raw));
  app.post("/oauth/access_token", (c) => tokens.server.token(c.req.raw));
  app.get("/access_token", (c) => tokens.lengthen(c.req.query("access_token")));
  app.get("/refresh_access_token", (c) => tokens.renew(c.req.query("access_token")));
  app.get("/v1.0/me", (c) => tokens.me(c.req.raw));
  return {
    id: "threads",
    about: "Threads: threads.com and graph.threads.net",
    serves: (host) => HOSTS.has(host),
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
