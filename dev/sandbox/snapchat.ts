import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor: "snapchat", end: "CAES…"}`: that user unlinks the app. */
const Seed = z.object({ end: z.string().optional() });

/**
 * Login Kit of Snapchat, for a confidential client. Whoever signs in has the external id that they give.
 * Unconfirmed: the revocation, which no page of Snap's describes; here it is as RFC 7009 has it.
 *
 * @see https://developers.snap.com/snap-kit/login-kit/Tutorials/web
 */
export const snapchat: MakeVendor = (world) => {
  const server = authorizationServer({
    now: world.now,
    by: "post",
    pkce: "optional",
    expiresIn: 3600,
    refresh: "rotated",
    kills: "grant",
  });
  const app = new Hono();
  app.all("/accounts/oauth2/auth", (c) => server.authorize(c.req.raw));
  app.post("/accounts/oauth2/token", (c) => server.token(c.req.raw));
  app.post("/accounts/oauth2/revoke", (c) => server.revoke(c.req.raw));
  app.get("/v1/me", (c) => {
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return c.json({ error: "invalid_token" }, 401);
    return c.json({ data: { me: { externalId: holder.account } }, errors: [] });
  });
  return {
    id: "snapchat",
    about: "accounts.snapchat.com and kit.snapchat.com: what people have granted to an app",
    serves: (host) => host === "accounts.snapchat.com" || host === "kit.snapchat.com",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ error: status === 401 ? "invalid_token" : "server_error" }, { status }),
    seed(seed) {
      const { end } = Seed.parse(seed);
      if (end !== undefined) server.endAccount(end);
      return {};
    },
    holdings: () => ({ grants: server.holdings() }),
    reset: () => server.reset(),
  };
};
