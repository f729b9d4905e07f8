import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor: "pinterest", end: "549755885175"}`: that user removes the app. */
const Seed = z.object({ end: z.string().optional() });

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
  return {
    id: "pinterest",
    about: "www.pinterest.com and api.pinterest.com: what people have granted to an app",
    serves: (host) => host === "www.pinterest.com" || host === "api.pinterest.com",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ code: status === 401 ? 2 : 0, message: "no" }, { status }),
    seed(seed) {
      const { end } = Seed.parse(seed);
      if (end !== undefined) server.endAccount(end);
      return {};
    },
    holdings: () => ({ grants: server.holdings() }),
    reset: () => server.reset(),
  };
};
