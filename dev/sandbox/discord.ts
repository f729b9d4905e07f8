import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import type { MakeVendor } from "./vendor.ts";

/** Whoever signs in is the user whose id they give. `{vendor: "discord", end: "9369…"}`: that user removes the app. */
const Seed = z.object({ end: z.string().optional() });

/**
 * What people have granted to an application: any token that is revoked ends all of the authorization.
 *
 * @see https://docs.discord.com/developers/topics/oauth2
 */
export const discord: MakeVendor = (world) => {
  const server = authorizationServer({
    now: world.now,
    by: "basic",
    pkce: "optional",
    expiresIn: 604_800,
    refresh: "rotated",
    issuer: "https://discord.com",
    kills: "account",
  });
  const app = new Hono();
  app.all("/oauth2/authorize", (c) => server.authorize(c.req.raw));
  app.post("/api/oauth2/token", (c) => server.token(c.req.raw));
  app.post("/api/oauth2/token/revoke", (c) => server.revoke(c.req.raw));
  app.get("/api/v10/users/@me", (c) => {
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return c.json({ message: "401: Unauthorized", code: 0 }, 401);
    return c.json({ id: holder.account, username: `user-${holder.account}` });
  });
  return {
    id: "discord",
    about: "discord.com: what people have granted to an application",
    serves: (host) => host === "discord.com",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ message: `${status}: Error`, code: 0 }, { status }),
    seed(seed) {
      const { end } = Seed.parse(seed);
      if (end !== undefined) server.endAccount(end);
      return {};
    },
    holdings: () => ({ grants: server.holdings() }),
    reset: () => server.reset(),
  };
};
