import { Hono } from "hono";
import { z } from "zod";
import { everyone, shelf } from "./shelf.ts";
import type { MakeVendor, Refusal } from "./vendor.ts";

const HOST = /^rest\.(?:fra-\d\d\.braze\.eu|(?!fra-)[a-z]+-\d\d\.braze\.com)$/;
const MOST_IDS = 50;
/** Unconfirmed: how long a deletion takes. */
const DELETED_AFTER_MS = 60_000;

/** `{vendor: "braze", account?: "<REST API key>", users: [{braze_id, external_id?, email?, phone?}]}`. */
const Seed = z.object({
  account: z.string().default(everyone),
  users: z
    .array(
      z.strictObject({
        braze_id: z.string(),
        external_id: z.string().optional(),
        email: z.string().optional(),
        phone: z.string().optional(),
      }),
    )
    .default([]),
});

const Ids = z.array(z.string()).min(1).max(MOST_IDS);
const Deletion = z.strictObject({ braze_ids: Ids.optional(), external_ids: Ids.optional() });
const Export = z.strictObject({
  external_ids: Ids.optional(),
  braze_id: z.string().optional(),
  email_address: z.string().optional(),
  phone: z.string().optional(),
  fields_to_export: z.array(z.string()).min(1),
});

/**
 * Braze's profiles: exporting them by id, address or number, and deleting them by id, which is done a while later.
 *
 * Unconfirmed: what a deletion of an unknown id is answered (it is not counted here). Aliases, and deleting by address or
 * number, are not modelled.
 *
 * @see https://www.braze.com/docs/api/endpoints/user_data/post_user_delete/
 * @see https://www.braze.com/docs/api/endpoints/export/user_data/post_users_identifier/
 */
export const braze: MakeVendor = (world) => {
  const users = shelf();
  const doomed = new Map<string, { readonly account: string; readonly at: number }>();
  const catchUp = () => {
    for (const [id, { account, at }] of doomed)
      if (world.now() >= at) {
        users.remove(account, id);
        doomed.delete(id);
      }
  };

  const app = new Hono<{ Variables: { account: string } }>();
  app.use("*", async (c, next) => {
    const key = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    if (key === undefined) return brazeError(401, WORDS.unauthorized);
    c.set("account", key);
    catchUp();
    return next();
  });
  app.post("/users/export/ids", async (c) => {
    const body = Export.safeParse(await c.req.json().catch(() => undefined));
    if (!body.success) return brazeError(400, "Invalid parameters");
    const { external_ids = [], braze_id, email_address, phone, fields_to_export: fields } = body.data;
    const all = users.list(c.get("account"));
    const hits = all.filter(
      (user) =>
        external_ids.includes(String(user.external_id)) ||
        user.id === braze_id ||
        (email_address !== undefined && String(user.email).toLowerCase() === email_address.toLowerCase()) ||
        (phone !== undefined && user.phone === phone),
    );
    const shown = hits.map(({ id, ...rest }) =>
      Object.fromEntries(Object.entries({ braze_id: id, ...rest }).filter(([name]) => fields.includes(name))),
    );
    const invalid = external_ids.filter((id) => !hits.some(({ external_id }) => external_id === id));
    return c.json({ message: "success", users: shown, invalid_user_ids: invalid }, 201);
  });
  app.post("/users/delete", async (c) => {
    const body = Deletion.safeParse(await c.req.json().catch(() => undefined));
    if (!body.success || Object.keys(body.data).length !== 1) return brazeError(400, "Invalid parameters");
    const { braze_ids = [], external_ids = [] } = body.data;
    const account = c.get("account");
    const gone = users
      .list(account)
      .filter(({ id, external_id }) => braze_ids.includes(id) || external_ids.includes(String(external_id)));
    for (const { id } of gone) if (!doomed.has(id)) doomed.set(id, { account, at: world.now() + DELETED_AFTER_MS });
    return c.json({ deleted: gone.length, message: "success" }, 201);
  });
  app.notFound(() => brazeError(404, "Not found"));

  return {
    id: "braze",
    about: "rest.….braze.com, rest.fra-….braze.eu",
    serves: (host) => HOST.test(host),
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => brazeError(status, WORDS[reason]),
    seed(body) {
      const { account, users: seeded } = Seed.parse(body);
      return {
        users: seeded.map(
          ({ braze_id: id, external_id = null, email = null, phone = null }) =>
            users.put(account, { id, external_id, email, phone }).id,
        ),
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

const WORDS = { unauthorized: "Invalid API key", rate_limited: "Rate limit exceeded", server_error: "Server error" };

const brazeError = (status: number, message: string): Response => Response.json({ message }, { status });
