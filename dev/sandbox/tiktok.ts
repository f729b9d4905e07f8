import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor: "tiktok", end: "-000ada"}`: that user disconnects the app. */
const Seed = z.object({ end: z.string().optional() });

/**
 * Login Kit of TikTok: a `client_key`, scopes with commas, refresh tokens that can be used once. Revoking wants an access token that
 * works, and disconnects the app. Whoever signs in has the open id that they give.
 *
 * @see https://developers.tiktok.com/docs/en/oauth-revoke-a-user-access-token
 */
export const tiktok: MakeVendor = (world) => {
  const refuse = (error: string): Response =>
    Response.json(
      { error, error_description: "no", log_id: "20261121" },
      { status: error === "invalid_client" ? 401 : 400 },
    );
  const server = authorizationServer({
    now: world.now,
    names: { clientId: "client_key" },
    by: "post",
    pkce: "ignored",
    expiresIn: 7200,
    refresh: "rotated",
    kills: "account",
    refuse,
    answer: ({ accessToken, refreshToken, expiresIn, scopes, account }) =>
      Response.json({
        access_token: accessToken,
        expires_in: expiresIn,
        open_id: account,
        refresh_expires_in: 15_552_000,
        refresh_token: refreshToken,
        scope: scopes.join(","),
        token_type: "Bearer",
      }),
  });
  const app = new Hono();
  app.all("/v2/auth/authorize/", (c) => server.authorize(c.req.raw));
  app.post("/v2/oauth/token/", (c) => server.token(c.req.raw));
  app.post("/v2/oauth/revoke/", async (c) => {
    const form = new URLSearchParams(await c.req.text());
    if (form.get("client_key") === null || (form.get("client_secret") ?? "") === "") return refuse("invalid_client");
    const token = form.get("token") ?? "";
    if (server.holder(token) === undefined) return refuse("invalid_request");
    server.end(token);
    return c.body("");
  });
  app.get("/v2/user/info/", (c) => {
    const holder = server.bearer(c.req.raw);
    const said = (code: string) => ({ code, message: "", log_id: "20261121" });
    if (holder === undefined) return c.json({ data: {}, error: said("access_token_invalid") }, 401);
    if (!holder.scopes.includes("user.info.basic"))
      return c.json({ data: {}, error: said("scope_not_authorized") }, 401);
    return c.json({ data: { user: { open_id: holder.account } }, error: said("ok") });
  });
  return {
    id: "tiktok",
    about: "www.tiktok.com and open.tiktokapis.com: what people have granted to an app",
    serves: (host) => host === "www.tiktok.com" || host === "open.tiktokapis.com",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ error: { code: "internal_error", message: "", log_id: "1" } }, { status }),
    seed(seed) {
      const { end } = Seed.parse(seed);
      if (end !== undefined) server.endAccount(end);
      return {};
    },
    holdings: () => ({ grants: server.holdings() }),
    reset: () => server.reset(),
  };
};
