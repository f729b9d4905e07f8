import { Hono } from "hono";
import { z } from "zod";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const HOST = "api.calendly.com";

/** `{vendor: "calendly", organization, enterprise?, events?: [{name, invitee}]}` */
const Seed = z.object({
  organization: z.string(),
  enterprise: z.boolean().default(true),
  events: z.array(z.strictObject({ name: z.string(), invitee: z.string() })).default([]),
});
type Event = { readonly uri: string; readonly name: string; invitee: string | null; readonly organization: string };

const Emails = z.object({ emails: z.array(z.email()).min(1) });

/** How long a deletion takes here; Calendly says up to seven days. */
const DELETION_MS = 24 * 3600_000;

/**
 * Calendly's scheduled events, searched by invitee, and the deletion of invitees, which answers nothing and takes its time.
 *
 * Unconfirmed: that an event stays, without its invitee.
 *
 * @see https://developer.calendly.com/api-docs
 */
export const calendly: MakeVendor = (world) => {
  const events: Event[] = [];
  const without = new Set<string>();
  let deletions: { readonly at: number; readonly emails: readonly string[] }[] = [];

  const settle = () => {
    for (const { emails } of deletions.filter((each) => world.now() >= each.at + DELETION_MS))
      for (const event of events) {
        if (event.invitee !== null && emails.includes(event.invitee.toLowerCase())) event.invitee = null;
      }
    deletions = deletions.filter((each) => world.now() < each.at + DELETION_MS);
  };

  const app = new Hono();
  app.notFound(() => calendlyError(404, "Resource Not Found"));
  app.use(async (c, next) =>
    /^Bearer .+/.test(c.req.header("authorization") ?? "") ? next() : calendlyError(401, "Unauthenticated"),
  );
  app.post("/data_compliance/deletion/invitees", async (c) => {
    if (without.size > 0) return calendlyError(403, "Permission Denied");
    const read = Emails.safeParse(await c.req.json());
    if (!read.success) return calendlyError(400, "Invalid Argument");
    deletions.push({ at: world.now(), emails: read.data.emails.map((email) => email.toLowerCase()) });
    return c.json({}, 202);
  });
  app.get("/scheduled_events", (c) => {
    settle();
    const { organization, invitee_email, count = "20" } = c.req.query();
    if (organization === undefined || !/^([1-9]\d?|100)$/.test(count)) return calendlyError(400, "Invalid Argument");
    const found = events.filter(
      (event) => event.organization === organization && event.invitee?.toLowerCase() === invitee_email?.toLowerCase(),
    );
    const collection = found.slice(0, Number(count)).map(({ uri, name }) => ({ uri, name, status: "active" }));
    return c.json({ collection, pagination: { count: collection.length, next_page: null, next_page_token: null } });
  });

  return {
    id: "calendly",
    about: HOST,
    serves: (host) => host === HOST,
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => calendlyError(status, reason),
    seed(body) {
      const { organization, enterprise, events: planted } = Seed.parse(body);
      if (!enterprise) without.add(organization);
      const made = planted.map(({ name, invitee }, nth) => ({
        uri: `https://${HOST}/scheduled_events/E${events.length + nth}`,
        ...{ name, invitee, organization },
      }));
      events.push(...made);
      return { events: made.map(({ uri }) => uri) };
    },
    holdings() {
      settle();
      const held: Json = events;
      return { events: held };
    },
    reset() {
      events.length = 0;
      without.clear();
      deletions = [];
    },
  };
};

const calendlyError = (status: number, title: string): Response =>
  Response.json({ title, message: title, details: [] }, { status });
