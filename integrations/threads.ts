import { z } from "zod";
import { at } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order } from "../src/contract/integration.ts";
import { byOneOf, CONNECTION, seenByAny } from "../src/contract/oauth.ts";
import { optional, secret, text } from "../src/contract/settings.ts";
import { json, UnixSeconds, withinSecond } from "../src/contract/signal.ts";
import {
  dataDeletion,
  deauthorize,
  deletion,
  graphAnswer,
  isAlive,
  MetaId,
  noRevocation,
  ownerOf,
  RENEWED_AHEAD_DAYS,
  sightOfNode,
  tokenRead,
  webhooks,
} from "./houses/meta.ts";

/**
 * Threads API: people grant the tenant's app access to their profile.
 * It tells us when a person removes the app, asks for deletion or deletes a post. No call ends a grant.
 */
const USE_CASE = "https://developers.facebook.com/docs/development/create-an-app/threads-use-case";
const WEBHOOKS = "https://developers.facebook.com/documentation/threads/webhooks";
const TOKENS = "https://developers.facebook.com/docs/threads/get-started/get-access-tokens-and-permissions";
const LONG_LIVED = "https://developers.facebook.com/docs/threads/get-started/long-lived-tokens/";
const POSTS = "https://developers.facebook.com/docs/threads/posts/delete-posts";

// Pages of 2026 write threads.com as well; the one about lasting tokens, and Meta's own sample, write this host.
const ME = at`https://graph.threads.net/v1.0/me?fields=id`;

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

const postAt = ({ identity }: Pick<Order, "identity">) =>
  at`https://graph.threads.net/v1.0/${{ post: identity.value }}`;

export const threads = defineIntegration({
  id: "threads",
  name: "Threads",
  about: "Platform access to a profile under a person's grant.",
  origins: ["https://graph.threads.net"],
  settings: {
    appId: optional(text("Threads app id", /^\d{5,20}$/)),
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

  oauth: {
    source: TOKENS,
    server: {
      issuer: "https://threads.com",
      authorize: "https://threads.com/oauth/authorize",
      token: "https://graph.threads.net/oauth/access_token",
    },
    client: { id: "appId", secret: "appSecret", by: "post" },
    pkce: absent("the page describes none", TOKENS),
    scopes: { standard: ["threads_basic"], separator: "," },
    adapt: graphAnswer,
    account: ({ accessToken }) => ownerOf("threads.user_id", ME, accessToken),
    // From an hour to sixty days.
    lengthen: ({ settings, accessToken }) =>
      tokenRead("https://graph.threads.net/access_token", {
        grant_type: "th_exchange_token",
        client_secret: settings.appSecret,
        access_token: accessToken,
      }),
    refresh: {
      source: LONG_LIVED,
      call: ({ grant }) =>
        tokenRead("https://graph.threads.net/refresh_access_token", {
          grant_type: "th_refresh_token",
          access_token: grant.accessToken,
        }),
      aheadDays: RENEWED_AHEAD_DAYS,
    },
    alive: ({ grant }) => isAlive(ME, grant.accessToken),
    kills: "grant",
  },

  actions: {
    erase: absent("what people have posted is their own, and Meta keeps it as their controller", POSTS),
    // 100 deletions a day for each profile.
    unpublish: {
      source: POSTS,
      by: ["threads.post"],
      each: "identity",
      run: (order) => byOneOf(order, ({ accessToken }) => deletion(postAt(order), accessToken)),
      look: {
        afterSeconds: 5,
        run: (order) => seenByAny(order, ({ accessToken }) => sightOfNode(postAt(order), accessToken)),
      },
    },
    revoke: {
      source: TOKENS,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        return yield* noRevocation(
          ME,
          order,
          "Threads has no revocation endpoint; the tokens held here are destroyed, and the person can remove the app in Threads",
        );
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
