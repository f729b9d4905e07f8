import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer, type Issued } from "./authorization-server.ts";
import type { MakeVendor } from "./vendor.ts";

/** Whoever signs in is the user whose id they give. `{vendor: "slack", end: "U0ADA"}`: that user removes the app. */
const Seed = z.object({ end: z.string().optional() });
const TEAM = { id: "T0ADALAB", name: "Lab" };

/**
 * What people of one workspace have granted to an app with token rotation: errors inside 200, a person's own token apart from the
 * workspace's, except in renewals.
 *
 * @see https://docs.slack.dev/authentication/using-token-rotation
 */
export const slack: MakeVendor = (world) => {
  const server = authorizationServer({
    now: world.now,
    names: { scope: "user_scope" },
    by: "basic",
    pkce: "ignored",
    expiresIn: 43_200,
    refresh: "rotated",
    kills: "account",
    refuse: (error) => Response.json({ ok: false, error: WORDS[error] ?? error }),
    answer: (issued) =>
      Response.json({
        ok: true,
        app_id: "A0LAB",
        team: TEAM,
        enterprise: null,
        ...(issued.isRenewal ? ownOf(issued) : { authed_user: { id: issued.account, ...ownOf(issued) } }),
      }),
  });
  const tokenOf = (request: Request) => /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  const app = new Hono();
  app.all("/oauth/v2/authorize", (c) => server.authorize(c.req.raw));
  app.post("/api/oauth.v2.access", (c) => server.token(c.req.raw));
  app.post("/api/auth.revoke", (c) => {
    const isHeld = server.bearer(c.req.raw) !== undefined;
    server.end(tokenOf(c.req.raw));
    return c.json(isHeld ? { ok: true, revoked: true } : DEAD);
  });
  app.post("/api/auth.test", (c) => {
    const holder = server.bearer(c.req.raw);
    return c.json(holder === undefined ? DEAD : { ok: true, team_id: TEAM.id, user_id: holder.account });
  });
  return {
    id: "slack",
    about: "slack.com: what people of one workspace have granted to an app",
    serves: (host) => host === "slack.com",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) =>
      status === 401 ? Response.json({ ok: false, error: "invalid_auth" }) : Response.json({ ok: false }, { status }),
    seed(seed) {
      const { end } = Seed.parse(seed);
      if (end !== undefined) server.endAccount(end);
      return {};
    },
    holdings: () => ({ grants: server.holdings() }),
    reset: () => server.reset(),
  };
};

const DEAD = { ok: false, error: "token_revoked" };

const ownOf = ({ accessToken, refreshToken, expiresIn, scopes }: Issued) => ({
  access_token: accessToken,
  token_type: "user",
  scope: scopes.join(","),
  refresh_token: refreshToken,
  expires_in: expiresIn,
});

const WORDS: Readonly<Record<string, string>> = { invalid_grant: "invalid_code", invalid_client: "bad_client_secret" };
