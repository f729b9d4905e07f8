import { Hono } from "hono";
import { z } from "zod";
import { derivedId, everyone, type Shelf, shelf } from "./shelf.ts";
import type { MakeVendor, Refusal } from "./vendor.ts";

const LISTS = ["bounces", "blocks", "invalid_emails", "spam_reports"] as const;

/** `{vendor: "sendgrid", account?: "SG.…", contacts?: [{id?, email, alternate_emails?}], mail?: ["<address>"], suppressions?: [{list, email}]}`. */
const Seed = z.object({
  account: z.string().default(everyone),
  contacts: z
    .array(
      z.strictObject({
        id: z.string().optional(),
        email: z.string(),
        alternate_emails: z.array(z.string()).default([]),
      }),
    )
    .default([]),
  /** Addresses to which mail was sent. */
  mail: z.array(z.string()).default([]),
  /** A list's name, `global`, or the number of a group. */
  suppressions: z.array(z.strictObject({ list: z.string(), email: z.string() })).default([]),
});

type Env = { Variables: { account: string } };

/** A few of the hundreds that a key with all rights has. */
const SCOPES = ["mail.send", "marketing.read", "recipients.erasejob.create", "suppression.bounces.delete"];

/** How long SendGrid's own jobs take here; nothing can be asked about the first. */
const ERASURE_MS = 60_000;
const DELETION_MS = 30_000;

/**
 * SendGrid's mail data, marketing contacts and suppressions. Both kinds of erasure are jobs; only the contacts' can be
 * asked about. Unconfirmed: how long an erasure of mail data takes.
 *
 * @see https://github.com/twilio/sendgrid-oai
 */
export const sendgrid: MakeVendor = (world) => {
  const [contacts, mail, suppressions, jobs]: readonly [Shelf, Shelf, Shelf, Shelf] = [
    shelf(),
    shelf(),
    shelf(),
    shelf(),
  ];
  let made = 0;
  /** Does what is due, so that what is read is up to date. */
  const settle = () => {
    for (const [id, job] of Object.entries(jobs.shown())) {
      const { account = everyone, kind, about, due, status } = Object(job);
      if (status !== "pending" || world.now() < due) continue;
      (kind === "erasure" ? mail : contacts).remove(account, about);
      jobs.put(account, { id, kind, about: "", due, status: "completed" });
    }
  };
  const begin = (account: string, kind: string, about: string, ms: number) =>
    jobs.put(account, { id: `job-${++made}`, kind, about, due: world.now() + ms, status: "pending" }).id;

  const app = new Hono<Env>().basePath("/v3");
  app.use(async (c, next) => {
    const key = /^Bearer (SG\..+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    if (key === undefined) return refused(401, "The provided authorization grant is invalid, expired, or revoked");
    c.set("account", key);
    settle();
    return next();
  });
  app.notFound(() => refused(404, "not found"));
  app.onError((error) => refused(error instanceof z.ZodError ? 400 : 500, error.message));

  app.get("/scopes", (c) => c.json({ scopes: SCOPES }));
  app.post("/recipients/erasejob", async (c) => {
    const Wanted = z.object({ email_addresses: z.array(z.string().includes("@")).min(1).max(5000) });
    const { email_addresses } = Wanted.parse(await c.req.json());
    const [job] = email_addresses.map((email) => begin(c.get("account"), "erasure", email.toLowerCase(), ERASURE_MS));
    return c.json({ job_id: job }, 202);
  });
  app.post("/marketing/contacts/search/emails", async (c) => {
    const { emails } = z.object({ emails: z.array(z.string().max(100)).min(1).max(100) }).parse(await c.req.json());
    const result = Object.fromEntries(
      emails.flatMap((email) => {
        const contact = contacts
          .list(c.get("account"))
          .find((each) => [each.email, ...[each.alternate_emails ?? []].flat()].includes(email.toLowerCase()));
        return contact === undefined ? [] : [[email.toLowerCase(), { contact }]];
      }),
    );
    return Object.keys(result).length === 0 ? refused(404, "contacts not found") : c.json({ result });
  });
  app.get("/marketing/contacts/imports/:id", (c) => {
    const job = jobs.get(c.get("account"), c.req.param("id"));
    if (job === undefined) return refused(404, "job not found");
    return c.json({ id: job.id, status: job.status, job_type: "delete", results: { deleted_count: 1 } });
  });
  app.get("/marketing/contacts/:id", (c) => {
    const contact = contacts.get(c.get("account"), c.req.param("id"));
    return contact === undefined ? refused(404, "contact not found") : c.json(contact);
  });
  app.delete("/marketing/contacts", (c) => {
    const { ids = "", delete_all_contacts } = c.req.query();
    if (delete_all_contacts === "true") {
      contacts.clear();
      return c.json({ job_id: "all" }, 202);
    }
    if (ids === "") return refused(400, "ids is required");
    const [job] = ids.split(",").map((id) => begin(c.get("account"), "deletion", id, DELETION_MS));
    return c.json({ job_id: job }, 202);
  });

  const entryOf = (list: string, email: string) => `${list} ${email.toLowerCase()}`;
  app.get("/asm/suppressions/global/:email", (c) => {
    const email = c.req.param("email");
    return c.json(suppressions.get(c.get("account"), entryOf("global", email)) ? { recipient_email: email } : {});
  });
  app.delete("/asm/suppressions/global/:email", (c) => {
    suppressions.remove(c.get("account"), entryOf("global", c.req.param("email")));
    return c.body(null, 204);
  });
  app.get("/asm/suppressions/:email", (c) => {
    const groups = suppressions
      .list(c.get("account"))
      .filter(({ list, email }) => /^\d+$/.test(String(list)) && email === c.req.param("email").toLowerCase())
      .map(({ list }) => ({
        id: Number(list),
        name: "News",
        description: "News",
        is_default: false,
        suppressed: true,
      }));
    const other = { id: 1, name: "Offers", description: "Offers", is_default: false, suppressed: false };
    return c.json({ suppressions: [other, ...groups] });
  });
  app.delete("/asm/groups/:group/suppressions/:email", (c) => {
    suppressions.remove(c.get("account"), entryOf(c.req.param("group"), c.req.param("email")));
    return c.body(null, 204);
  });
  app.get("/suppression/:list/:email", (c) => {
    const { list, email } = c.req.param();
    if (!LISTS.some((name) => name === list)) return refused(404, "not found");
    const entry = suppressions.get(c.get("account"), entryOf(list, email));
    return c.json(entry ? [{ created: Math.floor(world.now() / 1000), email, reason: "", status: "" }] : []);
  });
  app.delete("/suppression/:list/:email", (c) => {
    const { list, email } = c.req.param();
    if (!LISTS.some((name) => name === list)) return refused(404, "not found");
    return suppressions.remove(c.get("account"), entryOf(list, email)) ? c.body(null, 204) : refused(404, "not found");
  });

  return {
    id: "sendgrid",
    about: "api.sendgrid.com and api.eu.sendgrid.com: mail data, contacts, suppressions",
    serves: (host) => host === "api.sendgrid.com" || host === "api.eu.sendgrid.com",
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => refused(status, reason === "rate_limited" ? "too many requests" : reason),
    seed(body) {
      const { account, ...seed } = Seed.parse(body);
      for (const email of seed.mail) mail.put(account, { id: email.toLowerCase(), subject: "Welcome" });
      for (const { list, email } of seed.suppressions)
        suppressions.put(account, { id: entryOf(list, email), list, email: email.toLowerCase() });
      const ids = seed.contacts.map(({ id, email, ...contact }) => {
        const made = { id: id ?? derivedId("", account, email), email: email.toLowerCase(), ...contact };
        return contacts.put(account, made).id;
      });
      return { contacts: ids };
    },
    holdings() {
      settle();
      return { contacts: contacts.shown(), mail: mail.shown(), suppressions: suppressions.shown() };
    },
    reset() {
      for (const held of [contacts, mail, suppressions, jobs]) held.clear();
    },
  };
};

const refused = (status: number, message: string): Response =>
  Response.json({ errors: [{ message, field: null }] }, { status });
