import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { optional, secret, text } from "../src/contract/settings.ts";
import { json, parse, type SignalType, UnixSeconds, withinSecond } from "../src/contract/signal.ts";

/**
 * TikTok Login Kit: people grant the tenant's app access to their account.
 * It tells us when a grant has ended, and why: disconnected, account deleted, age changed, banned, revoked by the app. What we
 * could tell it, the end of a grant, needs the person's token.
 */
const EVENTS = "https://developers.tiktok.com/doc/webhooks-events";
const VERIFICATION = "https://developers.tiktok.com/doc/webhooks-verification";
const TOKENS = "https://developers.tiktok.com/doc/oauth-user-access-token-management";

const Event = z.object({
  event: z.string().min(1),
  create_time: UnixSeconds,
  user_openid: z.string().min(1).optional(),
  /** JSON inside JSON. */
  content: z.string().optional(),
});
const Content = z.object({ reason: z.int() });

const REMOVED = "authorization.removed";
const Delivery = Event.refine(({ event, user_openid }) => event !== REMOVED || user_openid !== undefined, {
  path: ["user_openid"],
});

/**
 * What each reason says beside that the grant has ended, which the event itself says: so an unknown reason, or content that
 * cannot be read, is the end of a grant too.
 */
const BESIDE: Readonly<Record<number, SignalType>> = {
  2: "account_deleted",
  // Nobody asked, and how old the person is now is not said: so it is noted, unless the tenant's policy lets it erase.
  3: "erasure_requested",
  // A ban may be lifted.
  4: "account_disabled",
  // 5, "developer revoke authorization", is an echo if it was us who revoked, and then recognised as one where it is
  // recorded. But the tenant's own systems can revoke past us, and that grant has ended for all others as well.
};

/** A deleted account had no other end: what it causes covers the grant. */
function typesFor(reason: number | undefined): readonly SignalType[] {
  const beside = reason === undefined ? undefined : BESIDE[reason];
  if (beside === "account_deleted") return [beside];
  return beside === undefined ? ["deauthorized"] : ["deauthorized", beside];
}

export const tiktok = defineIntegration({
  id: "tiktok",
  name: "TikTok",
  about: "Platform access to an account under a person's grant.",
  origins: [],
  settings: {
    clientSecret: secret("Client secret"),
    clientKey: optional(text("Client key: deliveries that name another are refused", /^[A-Za-z0-9]+$/)),
  },
  identities: { "tiktok.open_id": "App-scoped user id (open_id)" },

  hooks: {
    webhooks: {
      source: VERIFICATION,
      verify: {
        scheme: "hmac",
        key: "clientSecret",
        hash: "SHA-256",
        signature: { header: "tiktok-signature", encoding: "hex", items: { separator: ",", name: "s" } },
        over: [{ item: "t" }, { text: "." }, "body"],
        expects: [{ at: ["client_key"], setting: "clientKey" }],
        // Unconfirmed: whether a repeat, for up to 72 hours, is signed anew. No age is set, so that no end of a grant is
        // lost; a repeat is known by its content.
      },
      contentTypes: ["application/json"],
      read: json(Delivery, ({ event, create_time, user_openid = "", content = "" }) => {
        // TikTok gives no event id.
        const id = `${event}:${user_openid}:${create_time}:${content}`;
        if (event !== REMOVED) return [{ id, name: event, signals: [] }];
        const identity = { type: "tiktok.open_id", value: user_openid };
        const said = parse(Content, content);
        const types = typesFor(said.ok ? said.value.reason : undefined);
        return [{ id, name: event, signals: types.map((type) => ({ type, identity, at: withinSecond(create_time) })) }];
      }),
      authority: {
        deauthorized: "here",
        account_deleted: "everywhere",
        erasure_requested: "record",
        account_disabled: "record",
      },
      // Only 200 is named as success.
      answer: 200,
      retriesForHours: 72,
      events: [0, 1, 2, 3, 4, 5].map((reason) => `${REMOVED} (${reason})`),
    },
  },

  oauth: absent("not yet connected by Quittance", TOKENS),

  actions: {
    erase: absent("TikTok offers no API that erases what it holds about a person as their own controller", EVENTS),
    revoke: absent("needs the person's token, which connections will hold", TOKENS),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
