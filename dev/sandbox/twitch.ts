import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer, rfc6749 } from "./authorization-server.ts";
import type { MakeVendor } from "./vendor.ts";

/** Whoever signs in is the user whose id they give. `{vendor: "twitch", end: "1337"}`: that user disconnects the app. */
const Seed = z.object({ end: z.string().optional() });

/**
 * What people have granted to an application: scopes as a list, refusals with a message, a token scheme of its own.
 *
 * @see https://dev.twitch.tv/docs/authentication/
 */
export const twitch: MakeVendor = (world) => {
  const server = authorizationServer({
    now: world.now,
    by: "post",
    pkce: "ignored",
    expiresIn: 14_124,
    refresh: "rotated",
    kills: "grant",
    refuse: (error) =>
      error === "invalid_client"
        ? Response.json({ status: 403, message: "invalid client secret" }, { status: 403 })
        : Response.json({ error: "Bad Request", status: 400, message: WORDS[error] ?? error }, { status: 400 }),
    answer: (issued) => Response.json({ ...rfc6749(issued), scope: [...issued.scopes], token_type: "bearer" }),
  });
  const app = new Hono();
  app.all("/oauth2/authorize", (c) => server.authorize(c.req.raw));
  app.post("/oauth2/token", (c) => server.token(c.req.raw));
  app.post("/oauth2/revoke", async (c) => {
    const form = new URLSearchParams(await c.req.text());
    const token = form.get("token") ?? "";
    const isTheirs = server.holder(token)?.clientId === form.get("client_id");
    if (!isTheirs) return c.json({ status: 400, message: "Invalid token" }, 400);
    server.end(token);
    return c.body(null, 200);
  });
  app.get("/oauth2/validate", (c) => {
    const holder = server.holder(/^OAuth (.+)$/.exec(c.req.header("authorization") ?? "")?.[1]);
    if (holder === undefined) return c.json({ status: 401, message: "invalid access token" }, 401);
    const { clientId, account, scopes } = holder;
    return c.json({ client_id: clientId, login: `user${account}`, scopes: [...scopes], user_id: account });
  });
  return {
    id: "twitch",
    about: "id.twitch.tv: what people have granted to an application",
    serves: (host) => host === "id.twitch.tv",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ status, message: "error" }, { status }),
    seed(seed) {
      const { end } = Seed.parse(seed);
      if (end !== undefined) server.endAccount(end);
      return {};
    },
    holdings: () => ({ grants: server.holdings() }),
    reset: () => server.reset(),
  };
};

const WORDS: Readonly<Record<string, string>> = { invalid_grant: "Invalid refresh token" };
