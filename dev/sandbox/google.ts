import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer, idToken, rfc6749 } from "./authorization-server.ts";
import { googleError } from "./google-access.ts";
import { PostSeed, posts } from "./posts.ts";
import type { MakeVendor } from "./vendor.ts";

const HOSTS = new Set(["accounts.google.com", "oauth2.googleapis.com", "openidconnect.googleapis.com"]);
const ISSUER = "https://accounts.google.com";

/**
 * Whoever signs in is the account whose `sub` they give. `{vendor: "google", end: "1000…"}`: that account removes the app.
 * `posts: [{id, account}]` are videos in its channel.
 */
const Seed = z.object({ end: z.string().optional(), posts: PostSeed });

const VIDEOS = "/youtube/v3/videos";
const MANAGES = ["youtubepartner", "youtube", "youtube.force-ssl"].map(
  (scope) => `https://www.googleapis.com/auth/${scope}`,
);

/**
 * What people have granted to a Google project: refresh tokens that stay, one call that ends all of an account's; and their videos.
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
  const published = posts();
  app.delete(VIDEOS, (c) => {
    const id = c.req.query("id") ?? "";
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return googleError(401, "UNAUTHENTICATED", "Invalid Credentials", "authError");
    if (!published.has(id)) return googleError(404, "NOT_FOUND", "The video cannot be found.", "videoNotFound");
    if (published.authorOf(id) !== holder.account || !holder.scopes.some((scope) => MANAGES.includes(scope)))
      return googleError(403, "PERMISSION_DENIED", "The video cannot be deleted.", "forbidden");
    published.remove(id);
    return c.body(null, 204);
  });
  app.get(VIDEOS, (c) => {
    const id = c.req.query("id") ?? "";
    if (server.bearer(c.req.raw) === undefined)
      return googleError(401, "UNAUTHENTICATED", "Invalid Credentials", "authError");
    const items = published.has(id) ? [{ kind: "youtube#video", etag: "e", id }] : [];
    return c.json({
      kind: "youtube#videoListResponse",
      etag: "e",
      items,
      pageInfo: { totalResults: items.length, resultsPerPage: items.length },
    });
  });
  return {
    id: "google",
    about: "accounts.google.com and its token endpoint: what people have granted to a project, and their videos",
    serves: (host) => HOSTS.has(host),
    standsAt: ({ hostname, pathname }) => hostname === "www.googleapis.com" && pathname === VIDEOS,
    call: async (request) => app.fetch(request),
    refuse: ({ status }) =>
      Response.json({ error: status === 401 ? "invalid_client" : "internal_failure" }, { status }),
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
