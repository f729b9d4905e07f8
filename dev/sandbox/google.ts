import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer, idToken, rfc6749 } from "./authorization-server.ts";
import type { MakeVendor } from "./vendor.ts";

const HOSTS = new Set(["accounts.google.com", "oauth2.googleapis.com", "openidconnect.googleapis.com"]);
const ISSUER = "https://accounts.google.com";

/** Whoever signs in is the account whose `sub` they give. `{vendor: "google", end: "1000…"}`: that account removes the app. */
const Seed = z.object({ end: z.string().optional() });

/**
 * What people have granted to a Google project: refresh tokens that stay, one call that ends all of an account's.
 *
 * @see https://developers.google.com/identity/protocols/oauth2/web-server
 */
export const google: MakeVendor = (world) => {
  const server = authorizationServer({
    now: world.now,
    by: "post",
    pkce: "optional",
    expiresIn: 3599,
    refresh: "kept",
    kills: "account",
    sameClient: (one, other) => one.split("-")[0] === other.split("-")[0],
    // A refresh brings no refresh token.
    answer: (issued) => {
      const { refreshToken, ...renewed } = issued;
      return Response.json({ ...rfc6749(issued.isRenewal ? renewed : issued), id_token: idToken(issued, ISSUER) });
    },
  });
  const app = new Hono();
  app.all("/o/oauth2/v2/auth", (c) => server.authorize(c.req.raw));
  app.post("/token", (c) => server.token(c.req.raw));
  app.post("/revoke", async (c) => {
    const token = new URLSearchParams(await c.req.text()).get("token") ?? "";
    return server.end(token) ? c.json({}) : c.json({ error: "invalid_token" }, 400);
  });
  app.get("/v1/userinfo", (c) => {
    const holder = server.bearer(c.req.raw);
    return holder === undefined ? c.json({ error: "invalid_request" }, 401) : c.json({ sub: holder.account });
  });
  return {
    id: "google",
    about: "accounts.google.com and its token endpoint: what people have granted to a project",
    serves: (host) => HOSTS.has(host),
    call: async (request) => app.fetch(request),
    refuse: ({ status }) =>
      Response.json({ error: status === 401 ? "invalid_client" : "internal_failure" }, { status }),
    seed(seed) {
      const { end } = Seed.parse(seed);
      if (end !== undefined) server.endAccount(end);
      return {};
    },
    holdings: () => ({ grants: server.holdings() }),
    reset: () => server.reset(),
  };
};
