import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { optional, secret, text } from "../src/contract/settings.ts";
import { json, Rfc3339, type Signal } from "../src/contract/signal.ts";

/**
 * eBay: sellers grant the tenant's application access, and the tenant stores who bought and sold.
 * It tells every application of every user who closes the account, and of grants that ended. It takes no erasures from us.
 */
const DELETION = "https://developer.ebay.com/marketplace-account-deletion";

const Text = z.string().min(1);

/** Unconfirmed: how times are written beyond the examples; one that does not fit gives way to the next best. */
const Time = Rfc3339.nullish().catch(undefined);

const Deleted = z.object({ notificationId: Text, eventDate: Time, data: z.object({ userId: Text }) });
const Revoked = z.object({
  notificationId: Text,
  eventDate: Time,
  data: z.object({ userId: Text, revokeReason: z.string().nullish(), revocationDate: Time }),
});
const TOPICS = ["MARKETPLACE_ACCOUNT_DELETION", "AUTHORIZATION_REVOCATION"] as const;
const isTopic = (topic: string): boolean => TOPICS.some((each) => each === topic);

const topic = <T extends string>(name: T) => z.object({ topic: z.literal(name) });
const Deletion = z.object({ metadata: topic(TOPICS[0]), notification: Deleted });
const Revocation = z.object({ metadata: topic(TOPICS[1]), notification: Revoked });
const Other = z.object({
  metadata: z.object({ topic: Text.refine((name) => !isTopic(name)) }),
  notification: z.object({ notificationId: Text.nullish(), eventDate: Time }).nullish(),
});
const Body = z.union([Deletion, Revocation, Other]);
type Body = z.infer<typeof Body>;

const isDeletion = (body: Body): body is z.infer<typeof Deletion> => body.metadata.topic === TOPICS[0];
const isRevocation = (body: Body): body is z.infer<typeof Revocation> => body.metadata.topic === TOPICS[1];

/** Where the application itself revoked, it is our own doing that comes back. */
const OURS = "REVOKED_BY_APP";
const GRANT_ENDED: ReadonlySet<string> = new Set(["REVOKED_BY_USER", "REVOKED_BY_EBAY"]);

function signalsOf(body: Body, receivedAt: number): Signal[] {
  if (isDeletion(body)) {
    const { data, eventDate } = body.notification;
    // Only this id never changes: `username` does, and is made up for some users.
    const identity = { type: "ebay.user", value: data.userId };
    return [{ type: "account_deleted", identity, at: eventDate ?? receivedAt }];
  }
  if (!isRevocation(body)) return [];
  const { data, eventDate } = body.notification;
  if (data.revokeReason === OURS) return [];
  // A changed password costs the token, and so does what we do not know; neither is said to end the grant.
  const type = GRANT_ENDED.has(data.revokeReason ?? "") ? "deauthorized" : "token_revoked";
  const identity = { type: "ebay.user", value: data.userId };
  return [{ type, identity, at: data.revocationDate ?? eventDate ?? receivedAt }];
}

export const ebay = defineIntegration({
  id: "ebay",
  name: "eBay",
  about: "Marketplace: sellers grant the tenant's application access; buyers' data come with their orders.",
  origins: ["https://api.ebay.com", "https://api.sandbox.ebay.com"],
  settings: {
    clientId: text("App ID (Client ID) of the keyset", /^[\x21-\x39\x3b-\x7e]+$/),
    clientSecret: secret("Cert ID (Client Secret) of the keyset", /^[\x21-\x7e]+$/),
    verificationToken: secret("Verification token of the notification endpoint", /^[A-Za-z0-9_-]{32,80}$/),
    environment: optional(text("Environment: production (unless filled in) or sandbox", /^(production|sandbox)$/)),
  },
  identities: { "ebay.user": "User id, which never changes (not the username)" },

  hooks: {
    notifications: {
      source: DELETION,
      verify: {
        scheme: "ebay",
        client: { id: { setting: "clientId" }, secret: { setting: "clientSecret" } },
        environment: { setting: "environment" },
      },
      contentTypes: ["application/json"],
      // When the address is saved, and whenever eBay likes.
      challenges: [
        {
          ask: "query",
          name: "challenge_code",
          // eBay does not say what it is made of. What is answered is a plain hash, which proves nothing else.
          shape: /[A-Za-z0-9._~+/=-]{1,256}/,
          answer: {
            give: "digest",
            key: "verificationToken",
            body: (_, challengeResponse) => ({ challengeResponse }),
          },
          source: DELETION,
        },
      ],
      read: json(Body, (body, { receivedAt }) => {
        const { topic: name } = body.metadata;
        const { notificationId, eventDate } = body.notification ?? {};
        // The same at each attempt, of which `publishAttemptCount` is the number.
        const id = notificationId ?? `${name}:${eventDate ?? receivedAt}`;
        return [{ id, name, signals: signalsOf(body, receivedAt) }];
      }),
      // Nothing signed says whose application is told, so a grant ends at eBay only.
      authority: { account_deleted: "everywhere", deauthorized: "here", token_revoked: "here" },
      answer: 200,
      refusal: { status: 412, source: "https://github.com/eBay/event-notification-nodejs-sdk" },
      // It repeats what is not acknowledged; after a day of that, the address counts as down.
      retriesForHours: "unknown",
      events: TOPICS,
    },
  },

  oauth: absent("not yet connected by Quittance", "https://developer.ebay.com/api-docs/static/oauth-tokens.html"),

  actions: {
    erase: absent(
      "eBay is itself the controller of its users' accounts and takes no erasures from applications",
      DELETION,
    ),
    revoke: absent(
      "no call of today's OAuth ends a grant, and the older RevokeToken needs the person's token, which connections will hold",
      "https://developer.ebay.com/devzone/xml/docs/reference/ebay/revoketoken.html",
    ),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
