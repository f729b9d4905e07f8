import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { secret } from "../src/contract/settings.ts";
import { json, Rfc3339, type SignalType } from "../src/contract/signal.ts";

/**
 * Any sender of Standard Webhooks: a consent platform, an identity provider, a system of the tenant's own. The standard says how
 * a delivery is signed and that it has `type`, `timestamp` and `data`; which types there are and what they mean it leaves to
 * the sender. So this states a convention, below, and a sender that can be told what to send is told that.
 */
const STANDARD = "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md";

/** Types in this convention, and what each is taken for. */
const MEANINGS: ReadonlyMap<string, SignalType> = new Map([
  ["erasure.requested", "erasure_requested"],
  ["user.deleted", "account_deleted"],
  ["grant.revoked", "deauthorized"],
  ["consent.withdrawn", "consent_withdrawn"],
  ["access.requested", "access_requested"],
  ["user.disabled", "account_disabled"],
  ["user.restored", "account_restored"],
]);

const Text = z.string().max(512).nullish();
const Id = z.union([z.string().max(512), z.int().nonnegative().transform(String)]).nullish();

/** Whom it is about: the sender's id of the person, under either name, or an e-mail address where there is none. */
const Person = z
  .object({ user_id: Id, id: Id, email: Text })
  .transform(({ user_id, id, email }) => {
    const own = user_id || id;
    if (own) return { type: "standard-webhooks.user", value: own };
    return email ? { type: "email", value: email } : undefined;
  })
  .pipe(z.object({ type: z.string(), value: z.string() }));

const Type = z.string().regex(/^[\w.-]{1,128}$/);
const Known = z.object({ type: Type.refine((type) => MEANINGS.has(type)), timestamp: Rfc3339, data: Person });
const Delivery = z.union([Known, z.object({ type: Type.refine((type) => !MEANINGS.has(type)) })]);

export const standardWebhooks = defineIntegration({
  id: "standard-webhooks",
  name: "Standard Webhooks",
  about: "Any system that sends Standard Webhooks in the convention given here.",
  origins: [],
  settings: { secret: secret("Signing secret, or the sender's public key", /^(whsec|whpk)_[A-Za-z0-9+/]+={0,2}$/) },
  identities: { "standard-webhooks.user": "The sender's id of a person" },

  hooks: {
    events: {
      source: STANDARD,
      // Each attempt is signed anew: the timestamp is "of the attempt".
      verify: { scheme: "standard-webhooks", key: "secret", withinSeconds: 300 },
      contentTypes: ["application/json"],
      read: json(Delivery, (body, { signed, receivedAt }) => {
        // The standard's id, the same at each attempt; senders by way of Svix call it so.
        const id = signed("webhook-id") ?? signed("svix-id") ?? `${body.type}:${receivedAt}`;
        const type = MEANINGS.get(body.type);
        if (type === undefined || !("data" in body)) return [{ id, name: body.type, signals: [] }];
        return [{ id, name: body.type, signals: [{ type, identity: body.data, at: body.timestamp }] }];
      }),
      authority: {
        erasure_requested: "everywhere",
        account_deleted: "here",
        deauthorized: "here",
        consent_withdrawn: "record",
        access_requested: "record",
        account_disabled: "record",
        account_restored: "record",
      },
      // The standard's example of a schedule takes three days.
      retriesForHours: 76,
      events: [...MEANINGS.keys()],
    },
  },

  oauth: absent("the standard knows no grants", STANDARD),

  actions: {
    erase: absent(
      "the standard is for telling, not for being told; use the integration of one's own systems",
      STANDARD,
    ),
    revoke: absent("the standard knows no grants", STANDARD),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
