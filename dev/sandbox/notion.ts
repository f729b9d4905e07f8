import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import type { MakeVendor } from "./vendor.ts";

/** Whoever signs in is the user whose id they give. `{vendor: "notion", end: "5389…"}`: that user removes the connection. */
const Seed = z.object({ end: z.string().optional() });
const Body = z.strictObject({ token: z.string().min(1) });

/**
 * What people of one workspace have granted to a public connection: JSON wherever RFC 6749 and RFC 7009 have forms, and access tokens
 * whose end is not said.
 *
 * @see https://developers.notion.com/docs/authorization
 */
export const notion: MakeVendor = (world) => {
  const server = authorizationServer({
    now: world.now,
    by: "basic",
    body: "json",
    pkce: "ignored",
    refresh: "rotated",
    kills: "account",
    answer: ({ accessToken, refreshToken = null, account }) =>
      Response.json({
        access_token: accessToken,
        token_type: "bearer",
        refresh_token: refreshToken,
        bot_id: "16d84278-ab0e-484c-9bdd-b35da3bd8905",
        workspace_id: "3c90c3cc-0d44-4b50-8888-8dd25736052a",
        workspace_name: "Lab",
        workspace_icon: null,
        owner: { type: "user", user: { object: "user", id: account } },
        duplicated_template_id: null,
        request_id: "r",
      }),
  });
  const app = new Hono();
  app.all("/v1/oauth/authorize", async (c) =>
    c.req.query("owner") === "user" ? server.authorize(c.req.raw) : c.text("owner has to be user", 400),
  );
  app.post("/v1/oauth/token", (c) => server.token(c.req.raw));
  app.post("/v1/oauth/:what{revoke|introspect}", async (c) => {
    if (server.clientOf(c.req.raw) === undefined) return c.json({ error: "invalid_client" }, 401);
    const body = Body.safeParse(await c.req.json());
    if (!body.success) return c.json({ error: "invalid_request" }, 400);
    const { token } = body.data;
    if (c.req.param("what") === "introspect") return c.json({ active: server.holder(token) !== undefined });
    server.end(token);
    return c.json({ request_id: "r" });
  });
  return {
    id: "notion",
    about: "api.notion.com: what people of one workspace have granted to a connection",
    serves: (host) => host === "api.notion.com",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ object: "error", status, code: "error", message: "Error" }, { status }),
    seed(seed) {
      const { end } = Seed.parse(seed);
      if (end !== undefined) server.endAccount(end);
      return {};
    },
    holdings: () => ({ grants: server.holdings() }),
    reset: () => server.reset(),
  };
};
