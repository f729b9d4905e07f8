import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer, rfc6749 } from "./authorization-server.ts";
import type { MakeVendor } from "./vendor.ts";

/** Whoever signs in is the user whose id they give. `{vendor: "calendly", end: "AAAA…"}`: that user removes the app. */
const Seed = z.object({ end: z.string().optional() });

/**
 * What hosts have granted to an application: refresh tokens that can be used once, and the owner's URI beside the tokens. The token endpoint
 * is asked with HTTP Basic, the others with the client in the form.
 *
 * @see https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/get-oauth-authorize
 */
export const calendly: MakeVendor = (world) => {
  const server = authorizationServer({
    now: world.now,
    by: "basic",
    pkce: "required",
    expiresIn: 7200,
    refresh: "rotated",
    kills: "grant",
    answer: (issued) =>
      Response.json({
        ...rfc6749(issued),
        created_at: Math.floor(world.now() / 1000),
        owner: `https://api.calendly.com/users/${issued.account}`,
        organization: "https://api.calendly.com/organizations/BBBBBBBBBBBBBBBB",
      }),
  });
  const app = new Hono();
  app.all("/oauth/authorize", (c) => server.authorize(c.req.raw));
  app.post("/oauth/token", (c) => server.token(c.req.raw));
  app.post("/oauth/:what{revoke|introspect}", async (c) => {
    const form = new URLSearchParams(await c.req.text());
    const [token, id, secret] = ["token", "client_id", "client_secret"].map((name) => form.get(name) ?? "");
    if (token === undefined || token === "")
      return c.json({ error: "invalid_request", error_description: "Missing parameter: token" }, 400);
    if (id === "" || secret === "")
      return c.json({ error: "unauthorized_client", error_description: "No client" }, 403);
    if (c.req.param("what") === "introspect") return c.json({ active: server.holder(token) !== undefined });
    server.end(token);
    return c.json({});
  });
  return {
    id: "calendly",
    about: "auth.calendly.com: what hosts have granted to an application",
    serves: (host) => host === "auth.calendly.com",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ error: "error", error_description: "Error" }, { status }),
    seed(seed) {
      const { end } = Seed.parse(seed);
      if (end !== undefined) server.endAccount(end);
      return {};
    },
    holdings: () => ({ grants: server.holdings() }),
    reset: () => server.reset(),
  };
};
