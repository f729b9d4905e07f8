import { type Context, Hono } from "hono";
import { z } from "zod";
import { everyone, shelf, type Thing } from "./shelf.ts";
import type { MakeVendor, Refusal } from "./vendor.ts";

/** `{vendor: "klaviyo", account?: "pk_…", profiles: [{id, email?, phone_number?}]}`. */
const Seed = z.object({
  account: z.string().default(everyone),
  profiles: z
    .array(z.strictObject({ id: z.string(), email: z.string().optional(), phone_number: z.string().optional() }))
    .default([]),
});

/** Exactly one of the three. */
const Job = z.object({
  data: z.object({
    type: z.literal("data-privacy-deletion-job"),
    attributes: z.object({
      profile: z.object({
        data: z.object({
          type: z.literal("profile"),
          id: z.string().optional(),
          attributes: z.object({ email: z.string().optional(), phone_number: z.string().optional() }),
        }),
      }),
    }),
  }),
});

/** Unconfirmed: how long a deletion takes. */
const DELETED_AFTER_MS = 60_000;

/**
 * Klaviyo's profiles: reading, finding and asking for deletion, which is done a while later.
 *
 * @see https://github.com/klaviyo/openapi
 */
export const klaviyo: MakeVendor = (world) => {
  const profiles = shelf();
  const doomed = new Map<string, { account: string; id: string; at: number }>();
  const catchUp = () => {
    for (const [key, { account, id, at }] of doomed)
      if (world.now() >= at) {
        profiles.remove(account, id);
        doomed.delete(key);
      }
  };

  type Env = { Variables: { account: string } };
  const app = new Hono<Env>().basePath("/api");
  app.use(async (c, next) => {
    const key = /^Klaviyo-API-Key (pk_.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    if (key === undefined) return klaviyoError(401, "not_authenticated");
    if (!/^\d{4}-\d\d-\d\d$/.test(c.req.header("revision") ?? "")) return klaviyoError(400, "invalid");
    c.set("account", key);
    catchUp();
    return next();
  });
  app.get("/profiles", (c) => {
    const [, field = "", quoted = ""] =
      /^equals\((email|phone_number|id),(".*")\)$/.exec(c.req.query("filter") ?? "") ?? [];
    const value = field === "" ? undefined : z.string().safeParse(parsed(quoted)).data;
    if (value === undefined) return klaviyoError(400, "invalid");
    const hits = profiles.list(c.get("account")).filter((profile) => profile[field] === value);
    return c.json({ data: hits.map(wire), links: { self: c.req.url, next: null, prev: null } });
  });
  app.get("/profiles/:id", (c) => {
    const profile = profiles.get(c.get("account"), c.req.param("id"));
    return profile ? c.json({ data: wire(profile) }) : klaviyoError(404, "not_found");
  });
  app.post("/data-privacy-deletion-jobs", async (c: Context<Env>) => {
    const body = Job.safeParse(parsed(await c.req.text()));
    if (!body.success) return klaviyoError(400, "invalid");
    const { id, attributes } = body.data.data.attributes.profile.data;
    const given = Object.entries({ id, ...attributes }).filter(([, value]) => value !== undefined);
    const [first] = given;
    if (first === undefined || given.length > 1) return klaviyoError(400, "invalid");
    const account = c.get("account");
    for (const profile of profiles.list(account).filter((each) => each[first[0]] === first[1]))
      doomed.set(profile.id, { account, id: profile.id, at: world.now() + DELETED_AFTER_MS });
    return c.body(null, 202);
  });

  return {
    id: "klaviyo",
    about: "a.klaviyo.com: profiles",
    serves: (host) => host === "a.klaviyo.com",
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => klaviyoError(status, WORDS[reason]),
    seed(body) {
      const { account, profiles: seeded } = Seed.parse(body);
      return {
        profiles: seeded.map(
          ({ id, email, phone_number }) =>
            profiles.put(account, { id, email: email ?? null, phone_number: phone_number ?? null }).id,
        ),
      };
    },
    holdings() {
      catchUp();
      return { profiles: profiles.shown() };
    },
    reset() {
      profiles.clear();
      doomed.clear();
    },
  };
};

const WORDS = { rate_limited: "throttled", server_error: "error", unauthorized: "not_authenticated" };

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const wire = ({ id, ...attributes }: Thing) => ({ type: "profile", id: String(id), attributes });

const klaviyoError = (status: number, code: string): Response =>
  Response.json({ errors: [{ id: "c0ffee", status, code, title: code, detail: code }] }, { status });
