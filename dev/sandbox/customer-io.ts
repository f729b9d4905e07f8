import { Hono } from "hono";
import { z } from "zod";
import { everyone, shelf, type Thing } from "./shelf.ts";
import type { MakeVendor, Refusal } from "./vendor.ts";

const TRACK = new Set(["track.customer.io", "track-eu.customer.io"]);
const APP = new Set(["api.customer.io", "api-eu.customer.io"]);
/** Unconfirmed: how long the background takes. */
const DELETED_AFTER_MS = 60_000;

/** `{vendor: "customer-io", people: [{cio_id, id?, email?}]}`; Unconfirmed: keys of either API see one workspace here. */
const Seed = z.object({
  people: z
    .array(z.strictObject({ cio_id: z.string(), id: z.string().optional(), email: z.string().optional() }))
    .default([]),
});

/**
 * Customer.io's people: finding them through the App API, and deleting and suppressing them through the Track API, which says
 * 200 to everything and does it in the background.
 *
 * @see https://docs.customer.io/api/track/ and https://docs.customer.io/integrations/api/app/
 */
export const customerIo: MakeVendor = (world) => {
  const people = shelf();
  const suppressed = new Set<string>();
  const doomed = new Map<string, number>();
  const catchUp = () => {
    for (const [cioId, at] of doomed)
      if (world.now() >= at) {
        people.remove(everyone, cioId);
        doomed.delete(cioId);
      }
  };
  const by = (type: string, value: string): Thing | undefined =>
    people
      .list(everyone)
      .find((each) => (type === "cio_id" ? each.id : type === "email" ? each.email : each.own) === value);
  /** As the path of the Track API names people. */
  const named = (identifier: string): Thing | undefined =>
    identifier.startsWith("cio_")
      ? by("cio_id", identifier.slice(4))
      : (by("id", identifier) ?? by("email", identifier));

  const app = new Hono();
  app.use("*", async (c, next) => {
    if (!/^Bearer .+$/.test(c.req.header("authorization") ?? "")) return refusal(401, WORDS.unauthorized);
    catchUp();
    return next();
  });
  app.get("/v1/customers", (c) => {
    const email = c.req.query("email")?.toLowerCase();
    if (email === undefined) return refusal(400, "email is required");
    const results = people
      .list(everyone)
      .filter((each) => String(each.email).toLowerCase() === email)
      .map((each) => ({ id: each.own, cio_id: each.id, email: each.email }));
    return c.json({ results });
  });
  app.get("/v1/customers/:id/attributes", (c) => {
    const type = z.enum(["id", "cio_id", "email"]).safeParse(c.req.query("id_type") ?? "id");
    if (!type.success) return refusal(400, "unknown id_type");
    const person = by(type.data, c.req.param("id"));
    if (!person) return refusal(404, "not found");
    const ids = { id: person.own ?? "", cio_id: person.id, email: person.email ?? "" };
    return c.json({ customer: { id: ids.id, identifiers: ids, attributes: ids, devices: [], unsubscribed: false } });
  });

  const track = new Hono();
  track.use("*", async (c, next) => {
    const [, encoded = ""] = /^Basic (.+)$/.exec(c.req.header("authorization") ?? "") ?? [];
    if (!/^[^:]+:.+$/.test(Buffer.from(encoded, "base64").toString())) return refusal(401, WORDS.unauthorized);
    catchUp();
    return next();
  });
  const doom = (identifier: string) => {
    const person = named(identifier);
    if (person !== undefined && !doomed.has(person.id)) doomed.set(person.id, world.now() + DELETED_AFTER_MS);
  };
  track.delete("/api/v1/customers/:id", (c) => {
    doom(c.req.param("id"));
    return c.json({});
  });
  track.post("/api/v1/customers/:id/suppress", (c) => {
    doom(c.req.param("id"));
    suppressed.add(c.req.param("id"));
    return c.json({});
  });

  return {
    id: "customer-io",
    about: [...TRACK, ...APP].join(", "),
    serves: (host) => TRACK.has(host) || APP.has(host),
    call: async (request) => (TRACK.has(new URL(request.url).hostname) ? track : app).fetch(request),
    refuse: ({ reason, status }: Refusal) => refusal(status, WORDS[reason]),
    seed(body) {
      const seeded = Seed.parse(body).people;
      return {
        people: seeded.map(
          ({ cio_id: id, id: own = null, email = null }) => people.put(everyone, { id, own, email }).id,
        ),
      };
    },
    holdings() {
      catchUp();
      // Whom it refuses it keeps as well, without a profile.
      return { people: people.shown(), suppressed: suppressed.size };
    },
    reset() {
      people.clear();
      suppressed.clear();
      doomed.clear();
    },
  };
};

const WORDS = { unauthorized: "Unauthorized request", rate_limited: "too many requests", server_error: "server error" };

const refusal = (status: number, detail: string): Response =>
  Response.json({ errors: [{ detail, status: String(status) }] }, { status });
