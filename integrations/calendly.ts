import { z } from "zod";
import {
  type Address,
  at,
  bearer,
  get,
  postJson,
  type Reply,
  read,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import { absent, defineIntegration, type Order } from "../src/contract/integration.ts";
import { accountIn, type ClientProof, CONNECTION, grantOf, introspect, revokeTokens } from "../src/contract/oauth.ts";
import { accepted, erased } from "../src/contract/outcome.ts";
import { optional, type Settings, type SettingValues, secret, text } from "../src/contract/settings.ts";

/**
 * Calendly keeps who booked appointments with the tenant. Its webhooks tell of bookings and cancellations; a cancelled
 * appointment is no deletion, so there is none here. With a token it erases invitees by e-mail address, in its own time. Hosts grant
 * the tenant's app access to their calendars; we revoke that.
 */
const API = "https://developer.calendly.com/api-docs";
const WEBHOOKS = `${API}/overview/webhooks/webhook-signatures`;
const DELETION = `${API}/data-compliance/delete-invitee-data`;

/** "Requests for data deletion can take up to 7 days to complete": asked about twice a day. */
const ASK_AFTER_SECONDS = 12 * 3600;

const Events = z.object({ collection: z.array(z.object({ uri: z.string() })) });

const settings = {
  token: optional(secret("Personal access token of an owner or administrator, Enterprise plan")),
  organization: optional(
    text("Address of the organization, from /users/me", /^https:\/\/api\.calendly\.com\/organizations\/[\w-]+$/),
  ),
  clientId: optional(text("Client ID of the OAuth application")),
  clientSecret: optional(secret("Client secret of the OAuth application")),
} satisfies Settings;

const AUTHORIZE = "https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/get-oauth-authorize";
const REVOKE = "https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/post-oauth-revoke";
const INTROSPECT = "https://auth.calendly.com/oauth/introspect";

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
  origins: ["https://api.calendly.com", "https://auth.calendly.com"],
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
    erase: {
      source: DELETION,
      by: ["email"],
      each: "identity",
      needs: {
        settings: ["token", "organization"],
        otherwise: absent(
          "Calendly deletes invitees by API on its Enterprise plan only",
          DELETION,
          "In Calendly, cancel the person's future meetings, then delete the invitee's data by e-mail address under Admin > Data deletion (Enterprise), or ask Calendly's support. It can take seven days.",
        ),
      },
      *run(order) {
        const emails = [order.identity.value];
        const reply = yield postJson(
          at`https://api.calendly.com/data_compliance/deletion/invitees`,
          bearer(order.settings.token),
          { emails },
        );
        // There is no job to ask about: whether it is done is told by the person's events.
        return reply.status === 202 ? accepted("invitee", ASK_AFTER_SECONDS) : refused(reply);
      },
      *check(reference, order) {
        const reply = yield get(eventsOf(order), bearer(order.settings.token));
        if (reply.status !== 200) return refused(reply);
        const events = read(reply, Events);
        if (!events.ok) return events.problem;
        return events.value.collection.length === 0 ? erased : accepted(reference, ASK_AFTER_SECONDS);
      },
    },
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

type CalendlyOrder = Order<typeof settings>;

/** One is enough to know that there are some. Unconfirmed: that an event whose invitee was deleted is no longer found by address. */
const eventsOf = ({ settings: { organization }, identity: { value: email } }: CalendlyOrder): Address =>
  at`https://api.calendly.com/scheduled_events?organization=${{ organization }}&invitee_email=${{ email }}&count=1`;

/** 403 is the plan, the token's scope or its owner's role: it concerns every person alike. */
const refused = (reply: Reply) =>
  reply.status === 403
    ? unauthorized(reply, "Calendly says that this plan, token or owner may not do this")
    : unforeseen(reply);
