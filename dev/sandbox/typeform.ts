import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer, rfc6749 } from "./authorization-server.ts";
import type { MakeVendor } from "./vendor.ts";

/** Whoever signs in is the user whose id they give. `{vendor: "typeform", end: "01AR…"}`: that user removes the app. */
const Seed = z.object({ end: z.string().optional() });

/**
 * What people have granted to an application, which only they themselves can take back. There is a refresh token where `offline` was
 * asked for.
 *
 * @see https://www.typeform.com/developers/get-started/applications/
 */
export const typeform: MakeVendor = (world) => {
  const server = authorizationServer({
    now: world.now,
    by: "post",
    pkce: "ignored",
    expiresIn: 604_800,
    refresh: "rotated",
    kills: "grant",
    answer: (issued) => {
      const { refreshToken, ...rest } = issued;
      return Response.json(rfc6749(issued.scopes.includes("offline") ? issued : rest));
    },
  });
  const app = new Hono();
  app.all("/oauth/authorize", (c) => server.authorize(c.req.raw));
  app.post("/oauth/token", (c) => server.token(c.req.raw));
  app.get("/me", (c) => {
    const holder = server.bearer(c.req.raw);
    if (holder === undefined)
      return c.json({ code: "AUTHENTICATION_FAILED", description: "Authentication failed" }, 401);
    if (!holder.scopes.includes("accounts:read")) return c.json({ code: "FORBIDDEN", description: "No scope" }, 403);
    return c.json({ user_id: holder.account, alias: "somebody", email: "somebody@example.com", language: "en" });
  });
  return {
    id: "typeform",
    about: "api.typeform.com: what people have granted to an application",
    serves: (host) => host === "api.typeform.com",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ code: "ERROR", description: "Error" }, { status }),
    seed(seed) {
      const { end } = Seed.parse(seed);
      if (end !== undefined) server.endAccount(end);
      return {};
    },
    holdings: () => ({ grants: server.holdings() }),
    reset: () => server.reset(),
  };
};
