import { z } from "zod";
import { at, postJson, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Steps } from "../src/contract/integration.ts";
import { accountIn, basic, CONNECTION, type Grant, grantOf, type TokenAnswer } from "../src/contract/oauth.ts";
import { revoked, type Sight } from "../src/contract/outcome.ts";
import { optional, type SettingValues, secret, text } from "../src/contract/settings.ts";
import { json, parse, Rfc3339 } from "../src/contract/signal.ts";

/**
 * Notion: workspaces add the tenant's connection and share pages with it. It tells us that pages, databases and comments were
 * deleted; nothing of people or of grants that ended. We revoke a grant by its token.
 */
const WEBHOOKS = "https://developers.notion.com/reference/webhooks";

const AUTHORIZATION = "https://developers.notion.com/docs/authorization";
const REVOKE = "https://developers.notion.com/reference/revoke-token";

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

/** The first delivery of a subscription. */
const Told = z.strictObject({ verification_token: z.string().regex(/^secret_[\w-]{8,256}$/) });

const settings = {
  // The token comes into being with the subscription, and the subscription only when the address has answered.
  verificationToken: optional(secret("Verification token of the webhook", /^secret_/)),
  setupSecret: optional(secret("A long random text of your own, as ?setup=… in the address", /^[A-Za-z0-9_-]{32,}$/)),
  clientId: optional(text("OAuth client ID of the public connection", /^[0-9a-fA-F-]{32,36}$/)),
  clientSecret: optional(secret("OAuth client secret of the public connection")),
};

const Owned = z.object({
  workspace_id: z.string().min(1),
  owner: z.object({ type: z.literal("user"), user: z.object({ id: z.string().min(1) }) }),
});

/** There may be no refresh token, which is said by null; whose grant it is stands deep within. */
function adapt({ status, json }: TokenAnswer): TokenAnswer {
  const { refresh_token, ...rest } = json;
  const owned = Owned.safeParse(json);
  return {
    status,
    json: {
      ...rest,
      ...(refresh_token !== null && { refresh_token }),
      ...(owned.success && { account: `${owned.data.workspace_id}/${owned.data.owner.user.id}` }),
    },
  };
}

/** Both calls about a token take it in JSON; the connection proves itself by HTTP Basic. */
const aboutToken = (
  what: "revoke" | "introspect",
  { clientId, clientSecret }: SettingValues<typeof settings>,
  { accessToken }: Grant,
) =>
  postJson(
    what === "revoke" ? at`https://api.notion.com/v1/oauth/revoke` : at`https://api.notion.com/v1/oauth/introspect`,
    { authorization: basic(clientId, clientSecret), "notion-version": "2025-09-03" },
    { token: accessToken },
  );

function* sightOf(values: SettingValues<typeof settings>, grant: Grant): Steps<Sight> {
  const token = read(yield aboutToken("introspect", values, grant), z.object({ active: z.boolean() }));
  if (!token.ok) return token.problem;
  return token.value.active ? "present" : "absent";
}

export const notion = defineIntegration({
  id: "notion",
  name: "Notion",
  about: "Workspaces for notes: they share pages with the tenant's connection.",
  origins: ["https://api.notion.com"],
  settings,
  identities: {
    "notion.user": "`<workspace id>/<user id>`: who granted access, and to which workspace",
    "notion.entity": "Id of a page, database, data source or comment",
  },

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
      // Unconfirmed: whether this one is signed, with the very token that it tells. It would prove nothing, so nobody looks.
      offer: {
        source: WEBHOOKS,
        verify: { scheme: "shared-secret", key: "setupSecret", at: { query: "setup" } },
        tells: ({ text }) => parse(Told, text).ok,
      },
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

  oauth: {
    source: AUTHORIZATION,
    server: {
      issuer: "https://api.notion.com",
      authorize: "https://api.notion.com/v1/oauth/authorize",
      token: "https://api.notion.com/v1/oauth/token",
    },
    client: { id: "clientId", secret: "clientSecret", by: "basic", body: "json" },
    pkce: absent("its guide names no parameters for it", AUTHORIZATION),
    // What a connection may do stands in its capabilities, and people choose the pages.
    scopes: { standard: [] },
    parameters: { owner: "user" },
    adapt,
    account: ({ answer }) => accountIn("notion.user", answer, "account"),
    refresh: { source: "https://developers.notion.com/reference/refresh-a-token" },
    *alive({ settings, grant }) {
      const sight = yield* sightOf(settings, grant);
      if (sight === "absent") return "ended";
      return sight === "present" || sight === "no_view" ? "alive" : sight;
    },
    // Connections that were registered before June 2026 give a person who agrees again the token that they had; it ends for both.
    kills: "account",
  },

  actions: {
    erase: absent(
      "Notion's API only moves pages to the trash of their workspace, which is no erasure",
      "https://developers.notion.com/reference/archive-a-page",
    ),
    revoke: {
      source: REVOKE,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const reply = yield aboutToken("revoke", order.settings, grantOf(order));
        // Unconfirmed: what a token that is dead already is answered with. Anything but 200 is shown.
        return reply.status === 200 ? revoked : unforeseen(reply);
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          return yield* sightOf(order.settings, grantOf(order));
        },
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
