import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import type { MakeVendor } from "./vendor.ts";

/** Whoever signs in is the user whose number they give. `{vendor: "github", end: "1001"}`: that user removes the app. */
const Seed = z.object({ end: z.string().optional() });
const Body = z.object({ access_token: z.string() });

/**
 * What people have granted to a GitHub App whose user tokens expire: refresh tokens that can be used once, errors inside 200.
 *
 * @see https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens
 */
export const github: MakeVendor = (world) => {
  const server = authorizationServer({
    now: world.now,
    by: "post",
    pkce: "optional",
    expiresIn: 28_800,
    refresh: "rotated",
    kills: "account",
    // The answer to a wrong code or refresh token is 200, too.
    refuse: (error) =>
      Response.json({ error: WORDS[error] ?? error, error_description: "The code passed is incorrect or expired." }),
    answer: ({ accessToken, refreshToken, expiresIn }) =>
      Response.json({
        access_token: accessToken,
        expires_in: expiresIn,
        refresh_token: refreshToken,
        refresh_token_expires_in: 15_897_600,
        scope: "",
        token_type: "bearer",
      }),
  });
  const app = new Hono();
  app.all("/login/oauth/authorize", (c) => server.authorize(c.req.raw));
  app.post("/login/oauth/access_token", (c) => server.token(c.req.raw));
  app.get("/user", (c) => {
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return c.json({ message: "Bad credentials" }, 401);
    return c.json({ id: Number(holder.account), login: `user-${holder.account}` });
  });
  app.on(["DELETE", "POST"], ["/applications/:client/grant", "/applications/:client/token"], async (c) => {
    if (server.clientOf(c.req.raw) !== c.req.param("client")) return c.json({ message: "Not Found" }, 404);
    const body = Body.safeParse(await c.req.json());
    if (!body.success) return c.json({ message: "Validation Failed" }, 422);
    const { access_token: token } = body.data;
    if (c.req.method === "POST")
      return server.holder(token) ? c.json({ id: 1 }) : c.json({ message: "Not Found" }, 404);
    return server.end(token) ? c.body(null, 204) : c.json({ message: "Not Found" }, 404);
  });
  return {
    id: "github",
    about: "github.com and api.github.com: what people have granted to an app",
    serves: (host) => host === "github.com" || host === "api.github.com",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ message: status === 401 ? "Bad credentials" : "Error" }, { status }),
    seed(seed) {
      const { end } = Seed.parse(seed);
      if (end !== undefined) server.endAccount(end);
      return {};
    },
    holdings: () => ({ grants: server.holdings() }),
    reset: () => server.reset(),
  };
};

const WORDS: Readonly<Record<string, string>> = {
  invalid_grant: "bad_verification_code",
  invalid_client: "incorrect_client_credentials",
};
