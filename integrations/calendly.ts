import { absent, defineIntegration } from "../src/contract/integration.ts";
import { accountIn, type ClientProof, CONNECTION, grantOf, introspect, revokeTokens } from "../src/contract/oauth.ts";
import { optional, type SettingValues, secret, text } from "../src/contract/settings.ts";

/**
 * Calendly keeps who booked appointments with the tenant. Its webhooks tell of bookings and cancellations; a cancelled
 * appointment is no deletion, so there is none here. Hosts grant the tenant's app access to their calendars; we revoke that.
 */
const WEBHOOKS = "https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures";
const DELETION = "https://developer.calendly.com/api-docs/data-compliance/delete-invitee-data";

const AUTHORIZE = "https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/get-oauth-authorize";
const REVOKE = "https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/post-oauth-revoke";
const INTROSPECT = "https://auth.calendly.com/oauth/introspect";

const settings = {
  clientId: optional(text("Client ID of the OAuth application")),
  clientSecret: optional(secret("Client secret of the OAuth application")),
};

/** In the form beside the token endpoint, where HTTP Basic is for the token endpoint alone. */
const clientOf = ({ clientId, clientSecret }: SettingValues<typeof settings>): ClientProof => ({
  id: clientId,
  secret: clientSecret,
  by: "post",
});

export const calendly = defineIntegration({
  id: "calendly",
  name: "Calendly",
  about: "Appointments that people book.",
  origins: ["https://auth.calendly.com"],
  settings,
  identities: { "calendly.user": "URI of the user who granted access: `https://api.calendly.com/users/…`" },

  hooks: absent(
    "Calendly's webhooks tell of bookings and cancellations, which are no deletions, and not of grants",
    WEBHOOKS,
  ),

  oauth: {
    source: AUTHORIZE,
    server: {
      issuer: "https://calendly.com",
      authorize: "https://auth.calendly.com/oauth/authorize",
      token: "https://auth.calendly.com/oauth/token",
    },
    client: { id: "clientId", secret: "clientSecret", by: "basic" },
    pkce: "S256",
    scopes: { standard: ["users:read"] },
    account: ({ answer }) => accountIn("calendly.user", answer, "owner"),
    refresh: { source: "https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/post-oauth-refresh-token" },
    *alive({ settings, grant }) {
      const sight = yield* introspect(INTROSPECT, grant.accessToken, clientOf(settings));
      if (sight === "absent") return "ended";
      return sight === "present" || sight === "no_view" ? "alive" : sight;
    },
    // Unconfirmed: that revoking ends this grant's tokens and no others; the page speaks of the token that is shown.
    kills: "grant",
  },

  actions: {
    erase: absent(
      "Calendly deletes invitees by API on its Enterprise plan, which is not yet connected by Quittance",
      DELETION,
      "In Calendly, cancel the person's future meetings, then delete the invitee's data by e-mail address under Admin > Data deletion (Enterprise), or ask Calendly's support. It can take seven days.",
    ),
    revoke: {
      source: REVOKE,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        return yield* revokeTokens("https://auth.calendly.com/oauth/revoke", grantOf(order), clientOf(order.settings));
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          return yield* introspect(INTROSPECT, grantOf(order).accessToken, clientOf(order.settings));
        },
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
