import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { optional, secret } from "../src/contract/settings.ts";
import { json, UnixSeconds, withinSecond } from "../src/contract/signal.ts";
import { dataDeletion, deauthorize, MetaId, webhooks } from "./houses/meta.ts";

/**
 * Threads API: people grant the tenant's app access to their profile.
 * It tells us when a person removes the app, asks for deletion or deletes a post. What we could tell it, the deletion of a
 * post, needs the person's own token.
 */
const USE_CASE = "https://developers.facebook.com/docs/development/create-an-app/threads-use-case";
const WEBHOOKS = "https://developers.facebook.com/documentation/threads/webhooks";
const TOKENS = "https://developers.facebook.com/docs/threads/get-started/get-access-tokens-and-permissions";
const POSTS = "https://developers.facebook.com/docs/threads/posts/delete-posts";

/** An envelope of Threads' own: one update, not in `entry`. */
const Update = z
  .object({
    topic: z.string(),
    time: UnixSeconds,
    values: z.object({ field: z.string(), value: z.object({ id: MetaId.optional() }).optional() }),
  })
  .refine(({ topic, values }) => !isDeletion(topic, values.field) || values.value?.id !== undefined, {
    path: ["values", "value", "id"],
  });

/**
 * The guide speaks of delete notifications.
 * Unconfirmed: how topic and field spell it. Either may say it, in any form of the word; nothing else that Threads tells does.
 */
const isDeletion = (topic: string, field: string): boolean => [topic, field].some((name) => /^deleted?s?$/i.test(name));

export const threads = defineIntegration({
  id: "threads",
  name: "Threads",
  about: "Platform access to a profile under a person's grant.",
  origins: [],
  settings: {
    // Unconfirmed: whether this one signs the callbacks and webhooks, or the Meta app's own. A setting holds several
    // secrets and each is tried, so both readings are served by filling in both.
    appSecret: secret("Threads app secret; add the Meta app's own after it"),
    verifyToken: optional(secret("Verify token of the webhooks")),
  },
  identities: {
    "threads.user_id": "App-scoped user id",
    "threads.post": "Id of a post or reply",
  },

  hooks: {
    "data-deletion": dataDeletion("threads.user_id"),
    deauthorize: deauthorize("threads.user_id", USE_CASE),
    webhooks: webhooks(WEBHOOKS, {
      read: json(Update, ({ topic, time, values: { field, value } }) => {
        const post = value?.id;
        if (post === undefined || !isDeletion(topic, field))
          return [{ id: `${topic}:${field}:${post ?? ""}:${time}`, name: `${topic}.${field}`, signals: [] }];
        const identity = { type: "threads.post", value: post };
        // A post is deleted once.
        const signals = [{ type: "content_deleted", identity, at: withinSecond(time) } as const];
        return [{ id: `delete:${post}`, name: "delete", signals }];
      }),
      authority: { content_deleted: "record" },
      events: ["delete"],
    }),
  },

  oauth: absent("not yet connected by Quittance", TOKENS),

  actions: {
    erase: absent("needs the person's token, which connections will hold", POSTS),
    // Without instructions: only the person can remove the app, in the settings of their account.
    revoke: absent("Meta documents no call that ends a grant of Threads, with any token", TOKENS),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
