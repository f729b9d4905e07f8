import { z } from "zod";
import { at, bearer, byStatus, del, get, postForm, read } from "../src/contract/call.ts";
import { absent, defineIntegration, type Steps } from "../src/contract/integration.ts";
import {
  accountIn,
  byOneOf,
  CONNECTION,
  type Grant,
  grantOf,
  type NotByThis,
  notByThis,
  type TokenAnswer,
} from "../src/contract/oauth.ts";
import { type Answer, erased, notFound, stoppedBecause, type Unforeseen } from "../src/contract/outcome.ts";
import { optional, type SettingValues, secret, text } from "../src/contract/settings.ts";
import { json, type Signal, type VendorEvent } from "../src/contract/signal.ts";

/**
 * LinkedIn: members grant the tenant's app access, and pages and lead forms bring in what others wrote.
 * It tells us when a comment on a page or a lead was deleted, and only apps with an approved use case. It tells nothing when a
 * member revokes the app or closes the account: that shows when we ask about the token. It documents no call that ends a grant.
 */
const WEBHOOKS = "https://learn.microsoft.com/en-us/linkedin/shared/api-guide/webhook-validation";
const OAUTH = "https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow";
const INTROSPECTION = "https://learn.microsoft.com/en-us/linkedin/shared/authentication/token-introspection";
const REFRESH = "https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens";
const POSTS = "https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api";

const Urn = z.string().min(1);
const Millis = z.int().nonnegative().max(8_640_000_000_000_000);

const SOCIAL = "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS";
const LEAD = "LEAD_ACTION";

/** https://learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/organization-social-action-notifications */
const Notification = z.object({
  // A number that may be longer than one holds; with the comment's own name it is still of one thing only.
  notificationId: z.union([z.string().min(1), z.number()]).transform(String),
  action: z.string(),
  // Unconfirmed: that a deletion always names it. Without it nothing can be noted, and the rest of the batch must not suffer.
  generatedActivity: Urn.optional(),
  lastModifiedAt: Millis.optional(),
});
type Notification = z.infer<typeof Notification>;

/** https://learn.microsoft.com/en-us/linkedin/marketing/lead-sync/leadsync */
const Lead = z.object({
  type: z.literal(LEAD),
  leadGenFormResponse: Urn,
  leadAction: z.string(),
  occurredAt: Millis.optional(),
});

const Delivery = z.union([
  z.object({ type: z.literal(SOCIAL), notifications: z.array(Notification) }),
  Lead,
  z.object({ type: z.string().refine((type) => type !== SOCIAL && type !== LEAD) }),
]);

function social(notification: Notification, receivedAt: number): VendorEvent {
  const { notificationId, action, generatedActivity, lastModifiedAt: at = receivedAt } = notification;
  const id = `${notificationId}:${action}:${generatedActivity ?? ""}`;
  if (action !== "COMMENT_DELETE" || generatedActivity === undefined) return { id, name: action, signals: [] };
  const identity = { type: "linkedin.comment", value: generatedActivity };
  return { id, name: action, signals: [{ type: "content_deleted", identity, at }] };
}

function lead({ leadGenFormResponse, leadAction, occurredAt }: z.infer<typeof Lead>, receivedAt: number): VendorEvent {
  const identity = { type: "linkedin.lead", value: leadGenFormResponse };
  const signal: Signal = { type: "content_deleted", identity, at: occurredAt ?? receivedAt };
  return {
    // LinkedIn names no id; a response is created once and deleted once.
    id: `${leadGenFormResponse}:${leadAction}`,
    name: `${LEAD}.${leadAction}`,
    signals: leadAction === "DELETED" ? [signal] : [],
  };
}

const settings = {
  clientId: optional(text("Client id")),
  clientSecret: secret("Client secret (primary)"),
};

/**
 * Whoever adds OpenID's scopes gets an ID token too, whose issuer has changed before: it is not needed, so it is not relied on. Scopes
 * come with commas. Unconfirmed: that a type of token is always named; there is no other than bearer.
 */
function adapt({ status, json: { id_token: _, ...json } }: TokenAnswer): TokenAnswer {
  const { scope } = json;
  return {
    status,
    json: { token_type: "Bearer", ...json, ...(typeof scope === "string" && { scope: scope.replaceAll(",", " ") }) },
  };
}

const Introspected = z.object({
  active: z.boolean(),
  status: z.enum(["active", "expired", "revoked"]).optional(),
});

/** LinkedIn's own introspection: its form has no hint, and its answer says why a token is not active. */
function* introspected(
  { clientId, clientSecret }: SettingValues<typeof settings>,
  { accessToken }: Grant,
): Steps<z.infer<typeof Introspected> | Unforeseen> {
  const reply = yield postForm(at`https://www.linkedin.com/oauth/v2/introspectToken`, { accept: "application/json" }, [
    ["client_id", clientId],
    ["client_secret", clientSecret],
    ["token", accessToken],
  ]);
  const told = read(reply, Introspected);
  return told.ok ? told.value : told.problem;
}

/** Each month has a version, which is served for a year. https://learn.microsoft.com/en-us/linkedin/marketing/versioning */
const VERSION = "202610";

/** "Post deletion is idempotent. Deleting previously deleted posts also return 204." */
function* deletion(accessToken: string, post: string): Steps<Answer | NotByThis> {
  const headers = {
    ...bearer(accessToken),
    "linkedin-version": VERSION,
    "x-restli-protocol-version": "2.0.0",
    "x-restli-method": "DELETE",
  };
  const reply = yield del(at`https://api.linkedin.com/rest/posts/${{ post }}`, headers, { expects: [401] });
  if (reply.status === 401) return notByThis("LinkedIn does not take its token any more");
  if (reply.status === 403) return notByThis("LinkedIn forbids it: not its author's, or without w_member_social");
  return byStatus(reply, { 204: erased });
}

export const linkedin = defineIntegration({
  id: "linkedin",
  name: "LinkedIn",
  about: "Platform access under a member's grant; comments on pages; leads from forms.",
  origins: ["https://www.linkedin.com", "https://api.linkedin.com"],
  settings,
  identities: {
    "linkedin.person": "Member id of this app (OpenID `sub`)",
    "linkedin.post": "URN of a post: urn:li:share:… or urn:li:ugcPost:…",
    "linkedin.comment": "URN of a comment",
    "linkedin.lead": "URN of a lead form response",
  },

  hooks: {
    webhooks: {
      source: WEBHOOKS,
      verify: {
        scheme: "hmac",
        key: "clientSecret",
        hash: "SHA-256",
        // Unconfirmed: "hash of the POST body prefixed by hmacsha256=" can be read of the header too. Whichever it is,
        // the prefix is inside what is signed: a code over the body alone is none.
        signature: { header: "x-li-signature", encoding: "hex", prefix: { optional: "hmacsha256=" } },
        over: [{ text: "hmacsha256=" }, "body"],
      },
      contentTypes: ["application/json"],
      read: json(Delivery, (said, { receivedAt }) => {
        if ("notifications" in said) return said.notifications.map((each) => social(each, receivedAt));
        if ("leadAction" in said) return [lead(said, receivedAt)];
        return [{ id: said.type, name: said.type, signals: [] }];
      }),
      authority: { content_deleted: "record" },
      challenges: [
        {
          ask: "query",
          name: "challengeCode",
          // The key that answers also signs deliveries, so that only the documented form is answered.
          shape: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/i,
          answer: {
            give: "hmac",
            key: "clientSecret",
            encoding: "hex",
            body: (challengeCode, challengeResponse) => ({ challengeCode, challengeResponse }),
          },
          source: WEBHOOKS,
        },
      ],
      // Social actions: every five minutes for eight hours; lead sync does not say.
      retriesForHours: 8,
      events: ["COMMENT_DELETE", `${LEAD}.DELETED`],
    },
  },

  oauth: {
    source: OAUTH,
    server: {
      issuer: "https://www.linkedin.com/oauth",
      authorize: "https://www.linkedin.com/oauth/v2/authorization",
      token: "https://www.linkedin.com/oauth/v2/accessToken",
    },
    client: { id: "clientId", secret: "clientSecret", by: "post" },
    pkce: absent("it is for native clients, at an address of their own", OAUTH),
    scopes: { standard: ["openid", "profile"] },
    adapt,
    *account({ accessToken }) {
      const me = read(yield get(at`https://api.linkedin.com/v2/userinfo`, bearer(accessToken)), z.looseObject({}));
      return me.ok ? accountIn("linkedin.person", me.value, "sub") : me;
    },
    // For approved partners; to all others no refresh token is given.
    refresh: { source: REFRESH },
    *alive({ settings, grant }) {
      const told = yield* introspected(settings, grant);
      if ("outcome" in told) return told;
      return told.active ? "alive" : "ended";
    },
    kills: "grant",
  },

  actions: {
    erase: absent("what members have posted is their own, and LinkedIn keeps it as their controller", POSTS),
    // No look: reading a member's posts is for chosen partners.
    unpublish: {
      source: POSTS,
      by: ["linkedin.post"],
      each: "identity",
      run: (order) => byOneOf(order, ({ accessToken }) => deletion(accessToken, order.identity.value)),
    },
    revoke: {
      source: INTROSPECTION,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const told = yield* introspected(order.settings, grantOf(order));
        if ("outcome" in told) return told;
        // One that has expired may have a refresh token that has not.
        return told.status === "revoked"
          ? notFound
          : stoppedBecause(
              "LinkedIn has no revocation endpoint; the tokens held here are destroyed, and the member can remove the app in LinkedIn",
            );
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
