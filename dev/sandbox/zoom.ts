import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor: "zoom"}`: whoever signs in is the user whose id they give. */
const Seed = z.object({});

/**
 * What people have granted to a Zoom app: tokens of an hour, refresh tokens that can be used once, revocation by the access token.
 *
 * @see https://developers.zoom.us/docs/integrations/oauth/
 */
export const zoom: MakeVendor = (world) => {
  const server = authorizationServer({
    now: world.now,
    by: "basic",
    pkce: "optional",
    expiresIn: 3599,
    refresh: "rotated",
    kills: "grant",
    refuse: (error) => Response.json({ reason: "Invalid Token!", error }, { status: 400 }),
  });
  const app = new Hono();
  app.all("/oauth/authorize", (c) => server.authorize(c.req.raw));
  app.post("/oauth/token", (c) => server.token(c.req.raw));
  app.post("/oauth/revoke", async (c) => {
    const reply = await server.revoke(c.req.raw);
    return reply.status === 200 ? c.json({ status: "success" }) : reply;
  });
  app.get("/v2/users/me", (c) => {
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return zoomError(401, 124, "Invalid access token.");
    return c.json({ id: holder.account, account_id: "EAAAAbbbbbCCCCHMA", type: 1 });
  });
  return {
    id: "zoom",
    about: "zoom.us and api.zoom.us: what people have granted to an app",
    serves: (host) => host === "zoom.us" || host === "api.zoom.us",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => zoomError(status, status, "It could not be done."),
    seed(seed) {
      Seed.parse(seed);
      return {};
    },
    holdings: () => ({ grants: server.holdings() }),
    reset: () => server.reset(),
  };
};

const zoomError = (status: number, code: number, message: string): Response =>
  Response.json({ code, message }, { status });
