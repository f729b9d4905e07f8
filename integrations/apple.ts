import { z } from "zod";
import { at, type Call, postForm, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { accountIn, CONNECTION, errorIn, grantOf } from "../src/contract/oauth.ts";
import { revoked } from "../src/contract/outcome.ts";
import { optional, type SettingValues, secret, text } from "../src/contract/settings.ts";
import { json, type SignalType, UnixSeconds, withinSecond } from "../src/contract/signal.ts";

/**
 * Sign in with Apple: people sign in to the tenant's product with their Apple Account.
 * It tells us when a person stops using it with the product, deletes the Apple Account, or switches the mail relay. We revoke
 * what a person granted; the name and address that Apple sends along once are not read.
 */
const CHANGES =
  "https://developer.apple.com/documentation/signinwithapple/processing-changes-for-sign-in-with-apple-accounts";
const AUTHORIZE =
  "https://developer.apple.com/documentation/signinwithapplerestapi/request-an-authorization-to-the-sign-in-with-apple-server.";
const TOKENS = "https://developer.apple.com/documentation/signinwithapplerestapi/generate-and-validate-tokens";
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

const AUDIENCE = "https://appleid.apple.com";

const settings = {
  clientIds: text(
    "App IDs and Services IDs of one developer team, separated by commas",
    /^[A-Za-z0-9.-]+(\s*,\s*[A-Za-z0-9.-]+)*$/,
  ),
  clientId: optional(text("Services ID with which people connect", /^[A-Za-z0-9.-]+$/)),
  teamId: optional(text("Team ID", /^[A-Z0-9]{10}$/)),
  keyId: optional(text("Key ID of a key for Sign in with Apple", /^[A-Z0-9]{10}$/)),
  privateKey: optional(
    secret(
      "That key, the whole .p8 file",
      /^\s*-----BEGIN PRIVATE KEY-----[\sA-Za-z0-9+/=]+-----END PRIVATE KEY-----\s*$/,
    ),
  ),
};

/** The client proves itself with a secret that it signs for each call. */
function call(
  path: "token" | "revoke",
  fields: readonly (readonly [string, string])[],
  { clientId, teamId, keyId, privateKey }: SettingValues<typeof settings>,
): Call {
  const address =
    path === "token" ? at`https://appleid.apple.com/auth/token` : at`https://appleid.apple.com/auth/revoke`;
  return postForm(address, { accept: "application/json" }, [["client_id", clientId], ...fields], {
    sign: {
      scheme: "client-secret-jwt",
      key: privateKey,
      keyId,
      issuer: teamId,
      audience: AUDIENCE,
      subject: clientId,
    },
  });
}

export const apple = defineIntegration({
  id: "apple",
  name: "Sign in with Apple",
  about: "Sign-in with Apple Accounts.",
  origins: ["https://appleid.apple.com"],
  settings,
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

  oauth: {
    source: AUTHORIZE,
    server: {
      issuer: AUDIENCE,
      authorize: "https://appleid.apple.com/auth/authorize",
      token: "https://appleid.apple.com/auth/token",
    },
    client: {
      id: "clientId",
      secret: "privateKey",
      by: { keyId: "keyId", issuer: "teamId", audience: AUDIENCE },
    },
    pkce: absent("its pages name no parameters for it", AUTHORIZE),
    // An id is given without any; with `name` or `email` the answer has to be a form.
    scopes: { standard: [] },
    formPost: true,
    declined: "user_cancelled_authorize",
    openid: true,
    account: ({ claims }) => accountIn("apple.sub", claims, "sub"),
    refresh: { source: TOKENS },
    // "Invalidate the tokens and associated user authorizations for a user."
    kills: "account",
  },

  actions: {
    erase: absent("Apple offers no API that erases what it holds about a person as their own controller", DELETIONS),
    revoke: {
      source: REVOKE,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const { accessToken, refreshToken } = grantOf(order);
        const [token, hint] = refreshToken === "" ? [accessToken, "access_token"] : [refreshToken, "refresh_token"];
        const reply = yield call(
          "revoke",
          [
            ["token", token],
            ["token_type_hint", hint],
          ],
          order.settings,
        );
        // A token that was dead, or never was one, is answered with 200 too; the look tells.
        return reply.status === 200
          ? revoked
          : unforeseen(reply, `the revocation was refused: ${errorIn(reply) ?? "no error is named"}`);
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          const { refreshToken } = grantOf(order);
          if (refreshToken === "") return "no_view";
          const reply = yield call(
            "token",
            [
              ["grant_type", "refresh_token"],
              ["refresh_token", refreshToken],
            ],
            order.settings,
          );
          if (reply.status === 400 && errorIn(reply) === "invalid_grant") return "absent";
          return reply.status === 200 ? "present" : unforeseen(reply, errorIn(reply));
        },
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});
