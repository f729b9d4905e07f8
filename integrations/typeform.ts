import { z } from "zod";
import { at, bearer, get, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { accountIn, CONNECTION } from "../src/contract/oauth.ts";
import { stoppedBecause } from "../src/contract/outcome.ts";
import { optional, secret, text } from "../src/contract/settings.ts";

/**
 * Typeform keeps what people answer to the tenant's forms. Its webhooks bring new answers; they tell nothing of deletions or
 * of grants that ended, so there is none here. Those who make forms grant the tenant's app access, which no call takes back.
 */
const WEBHOOKS = "https://www.typeform.com/developers/webhooks/";
const DELETION = "https://www.typeform.com/developers/responses/reference/delete-responses/";

const APPLICATIONS = "https://www.typeform.com/developers/get-started/applications/";
const ME = at`https://api.typeform.com/me`;

/** Unconfirmed: that there is a `user_id`; the reference has an e-mail address only. */
const Me = z.union([z.looseObject({ user_id: z.string().min(1) }), z.looseObject({ email: z.email() })]);

export const typeform = defineIntegration({
  id: "typeform",
  name: "Typeform",
  about: "Forms that people fill in.",
  origins: ["https://api.typeform.com"],
  settings: {
    clientId: optional(text("Client id of the application")),
    clientSecret: optional(secret("Client secret of the application")),
  },
  identities: { "typeform.user": "User id; the account's e-mail address where Typeform tells none" },

  hooks: absent("Typeform's webhooks bring new answers only, none that concerns a deletion or a grant", WEBHOOKS),

  oauth: {
    source: APPLICATIONS,
    server: {
      issuer: "https://api.typeform.com",
      authorize: "https://api.typeform.com/oauth/authorize",
      token: "https://api.typeform.com/oauth/token",
    },
    client: { id: "clientId", secret: "clientSecret", by: "post" },
    pkce: absent("its pages name no parameters for it", APPLICATIONS),
    // Without `offline` there is no refresh token.
    scopes: { standard: ["accounts:read", "offline"] },
    *account({ accessToken }) {
      const me = read(yield get(ME, bearer(accessToken)), Me);
      return me.ok ? accountIn("typeform.user", me.value, "user_id" in me.value ? "user_id" : "email") : me;
    },
    refresh: { source: APPLICATIONS },
    *alive({ grant }) {
      const reply = yield get(ME, bearer(grant.accessToken), { expects: [401] });
      if (reply.status === 401) return "ended";
      return reply.status === 200 ? "alive" : unforeseen(reply);
    },
    kills: "grant",
  },

  actions: {
    erase: absent(
      "Typeform deletes responses by API, which is not yet connected by Quittance",
      DELETION,
      "In Typeform, open each form's results, search them for the person's e-mail address and other details, and delete the responses found. Search again later: deletion takes a while.",
    ),
    revoke: {
      source: APPLICATIONS,
      by: [CONNECTION],
      each: "identity",
      // biome-ignore lint/correctness/useYield: there is no call that could be made.
      *run() {
        return stoppedBecause(
          "Typeform has no revocation endpoint; the tokens held here are destroyed, and the person can remove the app in their account",
        );
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
