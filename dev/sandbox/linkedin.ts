import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import { PostSeed, posts } from "./posts.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor: "linkedin", end: "782bbtaQ"}`: that member removes the app. `posts: [{id, account}]` are published, ids are URNs. */
const Seed = z.object({ end: z.string().optional(), posts: PostSeed });

/**
 * OAuth 2.0 of LinkedIn for an app that is given no refresh tokens: scopes with commas, an ID token that nobody asked for,
 * introspection, and no call that ends a grant. Whoever signs in is the member whose id they give.
 *
 * @see https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow
 */
export const linkedin: MakeVendor = (world) => {
  const server = authorizationServer({
    now: world.now,
    by: "post",
    pkce: "ignored",
    expiresIn: 5_184_000,
    refresh: "none",
    kills: "grant",
    answer: ({ accessToken, expiresIn, scopes }) =>
      Response.json({
        access_token: accessToken,
        expires_in: expiresIn,
        scope: scopes.join(","),
        token_type: "Bearer",
        id_token: "e30.e30.c2ln",
      }),
  });
  const published = posts();
  const app = new Hono();
  app.all("/oauth/v2/authorization", (c) => server.authorize(c.req.raw));
  app.post("/oauth/v2/accessToken", (c) => server.token(c.req.raw));
  app.post("/oauth/v2/introspectToken", async (c) => {
    const form = new URLSearchParams(await c.req.text());
    if (form.get("client_id") === null || (form.get("client_secret") ?? "") === "")
      return c.json({ error: "invalid_client" }, 401);
    const isActive = server.holder(form.get("token")) !== undefined;
    return c.json({ active: isActive, status: isActive ? "active" : "revoked", auth_type: "3L" });
  });
  app.delete("/rest/posts/:urn", (c) => {
    const urn = c.req.param("urn");
    const holder = server.bearer(c.req.raw);
    if (!/^20\d{4}$/.test(c.req.header("linkedin-version") ?? ""))
      return c.json({ status: 426, code: "NONEXISTENT_VERSION", message: "no" }, 426);
    if (holder === undefined) return c.json({ status: 401, code: "REVOKED_ACCESS_TOKEN", message: "revoked" }, 401);
    // "Deleting previously deleted posts also return 204."
    if (
      published.has(urn) &&
      (published.authorOf(urn) !== holder.account || !holder.scopes.includes("w_member_social"))
    )
      return c.json({ status: 403, code: "ACCESS_DENIED", message: "Not enough permissions" }, 403);
    published.remove(urn);
    return c.body(null, 204);
  });
  app.get("/v2/userinfo", (c) => {
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return c.json({ status: 401, code: "REVOKED_ACCESS_TOKEN", message: "revoked" }, 401);
    return c.json({ sub: holder.account });
  });
  return {
    id: "linkedin",
    about: "www.linkedin.com and api.linkedin.com: what members have granted to an app",
    serves: (host) => host === "www.linkedin.com" || host === "api.linkedin.com",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ status, message: "no" }, { status }),
    seed(seed) {
      const { end, posts: seeded } = Seed.parse(seed);
      published.put(seeded);
      if (end !== undefined) server.endAccount(end);
      return {};
    },
    holdings: () => ({ grants: server.holdings(), posts: published.holdings() }),
    reset: () => {
      server.reset();
      published.clear();
    },
  };
};
