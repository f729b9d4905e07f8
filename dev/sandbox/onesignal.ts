import { Hono } from "hono";
import { z } from "zod";
import { derivedId, shelf } from "./shelf.ts";
import type { MakeVendor, Refusal } from "./vendor.ts";

/** Unconfirmed: how long a deletion takes; "shortly". */
const DELETED_AFTER_MS = 60_000;

/** `{vendor: "onesignal", account: "<app id>", users: [{onesignal_id, external_id?, subscriptions?: [{id?, type, token}]}]}`. */
const Seed = z.object({
  account: z.string(),
  users: z
    .array(
      z.strictObject({
        onesignal_id: z.string(),
        external_id: z.string().optional(),
        subscriptions: z
          .array(z.strictObject({ id: z.string().optional(), type: z.string(), token: z.string() }))
          .default([]),
      }),
    )
    .default([]),
});

/**
 * OneSignal's users of an app, each with its subscriptions: reading them by alias or subscription, and deleting them, which is
 * done a while later and takes the subscriptions along.
 *
 * Aliases of the tenant's own making are not modelled.
 *
 * @see https://documentation.onesignal.com/reference/delete-user
 */
export const onesignal: MakeVendor = (world) => {
  const users = shelf();
  const doomed = new Map<string, { readonly account: string; readonly at: number }>();
  const catchUp = () => {
    for (const [id, { account, at }] of doomed)
      if (world.now() >= at) {
        users.remove(account, id);
        doomed.delete(id);
      }
  };
  const userBy = (app: string, label: string, value: string) =>
    users
      .list(app)
      .find((user) => (label === "onesignal_id" ? user.id : label === "external_id" && user.external_id) === value);

  const app = new Hono().basePath("/apps/:app");
  app.use("*", async (c, next) => {
    if (!/^Key .+$/.test(c.req.header("authorization") ?? "")) return onesignalError(401, WORDS.unauthorized);
    catchUp();
    return next();
  });
  app.get("/users/by/:label/:value", (c) => {
    const user = userBy(c.req.param("app"), c.req.param("label"), c.req.param("value"));
    if (!user) return onesignalError(404, "User not found");
    const { id: onesignal_id, external_id, subscriptions = [] } = user;
    const identity = { onesignal_id, ...(typeof external_id === "string" && { external_id }) };
    return c.json({ properties: {}, identity, subscriptions });
  });
  app.delete("/users/by/:label/:value", (c) => {
    const user = userBy(c.req.param("app"), c.req.param("label"), c.req.param("value"));
    if (!user) return onesignalError(404, "User not found");
    if (!doomed.has(user.id)) doomed.set(user.id, { account: c.req.param("app"), at: world.now() + DELETED_AFTER_MS });
    return c.json({ identity: { onesignal_id: user.id } }, 202);
  });
  app.get("/subscriptions/:id/user/identity", (c) => {
    const id = c.req.param("id");
    const user = users
      .list(c.req.param("app"))
      .find(({ subscriptions }) => JSON.stringify(subscriptions).includes(`"${id}"`));
    return user ? c.json({ identity: { onesignal_id: user.id } }) : onesignalError(404, "Subscription not found");
  });
  app.notFound(() => onesignalError(404, "Not found"));

  return {
    id: "onesignal",
    about: "api.onesignal.com: users",
    serves: (host) => host === "api.onesignal.com",
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => onesignalError(status, WORDS[reason]),
    seed(body) {
      const { account, users: seeded } = Seed.parse(body);
      return {
        users: seeded.map(({ onesignal_id: id, external_id = null, subscriptions }) => {
          const own = subscriptions.map((each, nth) => ({ ...each, id: each.id ?? derivedId("", id, nth) }));
          return users.put(account, { id, external_id, subscriptions: own }).id;
        }),
      };
    },
    holdings() {
      catchUp();
      return { users: users.shown() };
    },
    reset() {
      users.clear();
      doomed.clear();
    },
  };
};

const WORDS = { unauthorized: "Access denied", rate_limited: "API rate limit exceeded", server_error: "Server error" };

const onesignalError = (status: number, title: string): Response => Response.json({ errors: [{ title }] }, { status });
