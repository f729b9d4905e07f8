import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { secret } from "../src/contract/settings.ts";
import { json, Rfc3339 } from "../src/contract/signal.ts";

/**
 * Notion: workspaces add the tenant's connection and share pages with it. It tells us that pages, databases and comments were
 * deleted; nothing of people or of grants that ended.
 */
const WEBHOOKS = "https://developers.notion.com/reference/webhooks";

const DELETIONS: ReadonlySet<string> = new Set([
  "page.deleted",
  "database.deleted",
  "data_source.deleted",
  "comment.deleted",
]);

const Event = z.object({ id: z.string().min(1), type: z.string().min(1) });
const Deleted = Event.extend({ timestamp: Rfc3339, entity: z.object({ id: z.string().min(1) }) });

/** What is deleted has to be named; of what is of another type nothing but its id is read. */
const Delivery = z.union([
  Deleted.refine(({ type }) => DELETIONS.has(type)),
  Event.refine(({ type }) => !DELETIONS.has(type)),
]);

export const notion = defineIntegration({
  id: "notion",
  name: "Notion",
  about: "Workspaces for notes: they share pages with the tenant's connection.",
  origins: [],
  settings: { verificationToken: secret("Verification token of the webhook", /^secret_/) },
  identities: { "notion.entity": "Id of a page, database, data source or comment" },

  hooks: {
    events: {
      source: WEBHOOKS,
      verify: {
        scheme: "hmac",
        hash: "SHA-256",
        key: "verificationToken",
        signature: { header: "x-notion-signature", encoding: "hex", prefix: "sha256=" },
        over: ["body"],
      },
      contentTypes: ["application/json"],
      read: json(Delivery, (body) => {
        const { id, type: name } = body;
        if (!("entity" in body)) return [{ id, name, signals: [] }];
        const identity = { type: "notion.entity", value: body.entity.id };
        return [{ id, name, signals: [{ type: "content_deleted", identity, at: body.timestamp }] }];
      }),
      authority: { content_deleted: "record" },
      answer: 200,
      // Eight times.
      retriesForHours: 24,
      events: [...DELETIONS],
    },
  },

  oauth: absent("not yet connected by Quittance", "https://developers.notion.com/docs/authorization"),

  actions: {
    erase: absent(
      "Notion's API only moves pages to the trash of their workspace, which is no erasure",
      "https://developers.notion.com/reference/archive-a-page",
      "In your own workspace search for the person's name and e-mail address, delete the pages, database entries and comments found, then open Trash and delete them permanently. Remove the person as a member or guest. What the person wrote in other workspaces is theirs.",
    ),
    revoke: absent(
      "needs the workspace's token, which connections will hold",
      "https://developers.notion.com/reference/revoke-token",
    ),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
