import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { text } from "../src/contract/settings.ts";
import { json, type SignalType, UnixSeconds, withinSecond } from "../src/contract/signal.ts";

/**
 * Sign in with Apple: people sign in to the tenant's product with their Apple Account.
 * It tells us when a person stops using it with the product, deletes the Apple Account, or switches the mail relay. We can
 * tell it nothing without the person's token.
 */
const CHANGES =
  "https://developer.apple.com/documentation/signinwithapple/processing-changes-for-sign-in-with-apple-accounts";
const REVOKE = "https://developer.apple.com/documentation/signinwithapplerestapi/revoke-tokens";
const DELETIONS =
  "https://developer.apple.com/documentation/technotes/tn3194-handling-account-deletions-and-revoking-tokens-for-sign-in-with-apple";

/** The documentation says `account-deleted`; what servers got, and older documentation, says `account-delete`. */
const SIGNALS: Readonly<Record<string, SignalType>> = {
  "consent-revoked": "deauthorized",
  "account-deleted": "account_deleted",
  "account-delete": "account_deleted",
  // The person wants no mail through the relay; `email-enabled` takes it back and says nothing else.
  "email-disabled": "consent_withdrawn",
};
const signalOf = (type: string): SignalType | undefined => (Object.hasOwn(SIGNALS, type) ? SIGNALS[type] : undefined);

/** Unconfirmed: that `event_time` has milliseconds, as in all samples that were seen. A number too small for that has seconds. */
const EventTime = z
  .number()
  .nonnegative()
  .max(8.64e15)
  .transform((time) => (time < 100_000_000_000 ? withinSecond(Math.floor(time)) : Math.floor(time)));

const Event = z
  .object({ type: z.string().min(1), sub: z.string().min(1).max(512).optional(), event_time: EventTime.optional() })
  .refine(({ type, sub }) => signalOf(type) === undefined || sub !== undefined, { path: ["sub"] });

/** One event so far; its name is a plural, so several are read too. */
const Events = z.union([Event.transform((event) => [event]), z.array(Event).min(1).max(100)]);

/** `events` is JSON within a text; the object itself is taken too. */
const Notification = z.object({
  jti: z.string().min(1).max(512),
  iat: UnixSeconds,
  events: z.union([z.string().transform(parsed).pipe(Events), Events]),
});

function parsed(text: string, context: z.RefinementCtx<string>): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    context.addIssue({ code: "custom", message: "is not JSON" });
    return z.NEVER;
  }
}

export const apple = defineIntegration({
  id: "apple",
  name: "Sign in with Apple",
  about: "Sign-in with Apple Accounts.",
  origins: ["https://appleid.apple.com"],
  settings: {
    clientIds: text(
      "App IDs and Services IDs of one developer team, separated by commas",
      /^[A-Za-z0-9.-]+(\s*,\s*[A-Za-z0-9.-]+)*$/,
    ),
  },
  identities: { "apple.sub": "User id (`sub`), the same in all apps of one developer team" },

  hooks: {
    notifications: {
      source: CHANGES,
      verify: {
        scheme: "jwt",
        at: { member: "payload" },
        keys: "https://appleid.apple.com/auth/keys",
        // Apple says to use the header's algorithm; its keys have been RS256 only, and a header chooses nothing here.
        algorithms: ["RS256"],
        issuer: ["https://appleid.apple.com"],
        audience: { setting: "clientIds" },
        expires: true,
      },
      contentTypes: ["application/json"],
      read: json(Notification, ({ jti, iat, events }) =>
        events.map(({ type, sub, event_time }, index) => {
          const signal = signalOf(type);
          const id = events.length === 1 ? jti : `${jti}:${index}`;
          if (signal === undefined || sub === undefined) return { id, name: type, signals: [] };
          // Nothing happens after it was told.
          const at = Math.min(event_time ?? withinSecond(iat), withinSecond(iat));
          return { id, name: type, signals: [{ type: signal, identity: { type: "apple.sub", value: sub }, at }] };
        }),
      ),
      authority: { account_deleted: "everywhere", deauthorized: "here", consent_withdrawn: "record" },
      // What is not answered with 200 is sent again.
      answer: 200,
      // Apple's engineers say both that it is sent once and that it is repeated; no schedule is published.
      retriesForHours: "unknown",
      events: ["consent-revoked", "account-deleted", "account-delete", "email-disabled", "email-enabled"],
    },
  },

  oauth: absent("not yet connected by Quittance", REVOKE),

  actions: {
    erase: absent("Apple offers no API that erases what it holds about a person as their own controller", DELETIONS),
    revoke: absent("needs the person's token, which connections will hold", REVOKE),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
