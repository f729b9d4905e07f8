import { Hono } from "hono";
import { z } from "zod";
import { authorizationServer } from "./authorization-server.ts";
import { PostSeed, posts } from "./posts.ts";
import type { MakeVendor } from "./vendor.ts";
import { compliance } from "./x-compliance.ts";

const problem = (status: number, title: string) => ({ title, type: "about:blank", status, detail: title });

/** https://docs.x.com/x-api/fundamentals/response-codes-and-errors: beside 200. */
const missing = (id: string) => ({
  value: id,
  detail: `Could not find tweet with id: [${id}].`,
  title: "Not Found Error",
  resource_type: "tweet",
  parameter: "id",
  resource_id: id,
  type: "https://api.x.com/2/problems/resource-not-found",
});

/**
 * `{vendor: "x", end: "1600"}`: that user removes the app. `subscriptions` are to one person's events each, as the product made
 * them; `posts` are what it published, `{id, account}`.
 */
const Seed = z.object({
  end: z.string().optional(),
  posts: PostSeed,
  subscriptions: z.array(z.strictObject({ id: z.string(), user: z.string() })).default([]),
});

/**
 * OAuth 2.0 of X: PKCE, refresh tokens that can be used once, a word of its own for those that are spent; and X Activity
 * subscriptions and the compliance streams, for any app-only token. Whoever signs in is the user whose number they give.
 *
 * @see https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token
 */
export const x: MakeVendor = (world) => {
  const subscriptions = new Map<string, string>();
  const published = posts();
  const streams = compliance(world);
  const server = authorizationServer({
    now: world.now,
    by: "basic",
    pkce: "required",
    expiresIn: 7200,
    refresh: "rotated",
    kills: "grant",
    refuse: (error) =>
      error === "invalid_client"
        ? Response.json(
            { error: "unauthorized_client", error_description: "Missing valid authorization header" },
            { status: 401 },
          )
        : Response.json(
            { error: "invalid_request", error_description: "Value passed for the token was invalid." },
            { status: 400 },
          ),
  });
  const app = new Hono();
  app.route("/", streams.app);
  app.all("/i/oauth2/authorize", (c) => server.authorize(c.req.raw));
  app.post("/2/oauth2/token", (c) => server.token(c.req.raw));
  app.post("/2/oauth2/revoke", async (c) => {
    const reply = await server.revoke(c.req.raw);
    return reply.status === 200 ? c.json({ revoked: true }) : reply;
  });
  app.get("/2/users/me", (c) => {
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return c.json(problem(401, "Unauthorized"), 401);
    return c.json({ data: { id: holder.account, name: "Somebody", username: `user_${holder.account}` } });
  });
  app.delete("/2/tweets/:id", (c) => {
    const id = c.req.param("id");
    const holder = server.bearer(c.req.raw);
    if (holder === undefined) return c.json(problem(401, "Unauthorized"), 401);
    if (!published.has(id)) return c.json({ errors: [missing(id)] });
    if (published.authorOf(id) !== holder.account || !holder.scopes.includes("tweet.write"))
      return c.json(problem(403, "Forbidden"), 403);
    published.remove(id);
    return c.json({ data: { deleted: true } });
  });
  app.get("/2/tweets/:id", (c) => {
    const id = c.req.param("id");
    if (server.bearer(c.req.raw) === undefined) return c.json(problem(401, "Unauthorized"), 401);
    return c.json(
      published.has(id) ? { data: { id, text: "", edit_history_tweet_ids: [id] } } : { errors: [missing(id)] },
    );
  });
  app.get("/2/activity/subscriptions", (c) =>
    c.json({
      data: [...subscriptions].map(([subscription_id, user_id]) => ({
        subscription_id,
        event_type: "post.delete",
        filter: { user_id },
      })),
      meta: { total_subscriptions: subscriptions.size },
    }),
  );
  app.delete("/2/activity/subscriptions", (c) => {
    for (const id of (c.req.query("ids") ?? "").split(",")) subscriptions.delete(id);
    return c.json({ data: { deleted: true }, meta: { total_subscriptions: subscriptions.size } });
  });
  return {
    id: "x",
    about: "x.com and api.x.com: what people have granted to an app, what it subscribed to, and the compliance streams",
    admin: streams.admin,
    serves: (host) => host === "x.com" || host === "api.x.com",
    call: async (request) => app.fetch(request),
    refuse: ({ status }) => Response.json({ title: "Error", type: "about:blank", status }, { status }),
    seed(seed) {
      const { end, subscriptions: made, posts: seeded } = Seed.parse(seed);
      published.put(seeded);
      if (end !== undefined) server.endAccount(end);
      for (const { id, user } of made) subscriptions.set(id, user);
      return {};
    },
    holdings: () => ({
      grants: server.holdings(),
      subscriptions: Object.fromEntries(subscriptions),
      posts: published.holdings(),
    }),
    reset() {
      server.reset();
      published.clear();
      subscriptions.clear();
      streams.reset();
    },
  };
};
