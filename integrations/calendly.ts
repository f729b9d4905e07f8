import { z } from "zod";
import {
  type Address,
  at,
  bearer,
  del,
  get,
  postJson,
  type Reply,
  read,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { accountIn, type ClientProof, CONNECTION, grantOf, introspect, revokeTokens } from "../src/contract/oauth.ts";
import { accepted, erased, type Unforeseen } from "../src/contract/outcome.ts";
import { optional, type Settings, type SettingValues, secret, text } from "../src/contract/settings.ts";
import { webhookUrl } from "./houses/own-webhooks.ts";

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
  webhookUrl,
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
    // A host's webhooks are found with a token that works.
    revokesWithAccess: true,
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
        const problem = yield* endWebhooks(order);
        if (problem !== undefined) return problem;
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

const Me = z.object({ resource: z.object({ uri: z.string(), current_organization: z.string() }) });
const Subscriptions = z.object({
  collection: z.array(z.object({ uri: z.string(), callback_url: z.string() })),
  pagination: z.object({ next_page_token: z.string().min(1).nullish() }),
});

/** What is needed to find a host's webhooks and end them. */
const WEBHOOK_SCOPES = ["users:read", "webhooks:read", "webhooks:write"];

/** A host has a handful; so many pages would mean that we are led round in circles. */
const MOST_PAGES = 10;

/**
 * Ends the webhooks that tell the product about this host. The list has those of other apps too, so only what goes to the product's own
 * address is taken; a grant without these scopes has made none that could be found.
 * https://developer.calendly.com/api-docs/calendly-api/webhooks/list-webhook-subscriptions
 */
function* endWebhooks(order: CalendlyOrder): Steps<Unforeseen | undefined> {
  const { webhookUrl: own } = order.settings;
  const { accessToken, scopes } = grantOf(order);
  if (own === "" || !WEBHOOK_SCOPES.every((scope) => scopes.includes(scope))) return undefined;
  const headers = bearer(accessToken);
  const reply = yield get(at`https://api.calendly.com/users/me`, headers, { expects: [401] });
  // The host has removed the app meanwhile: the revocation finds that out for itself.
  if (reply.status === 401) return undefined;
  const me = read(reply, Me);
  if (!me.ok) return me.problem;
  const { uri: user, current_organization: organization } = me.value.resource;
  const ours: string[] = [];
  let token: string | null | undefined;
  for (let page = 0; page < MOST_PAGES && token !== null; page++) {
    const listed = read(
      yield get(
        token === undefined
          ? at`https://api.calendly.com/webhook_subscriptions?organization=${{ organization }}&user=${{ user }}&scope=user&count=100`
          : at`https://api.calendly.com/webhook_subscriptions?organization=${{ organization }}&user=${{ user }}&scope=user&count=100&page_token=${{ token }}`,
        headers,
      ),
      Subscriptions,
    );
    if (!listed.ok) return listed.problem;
    const { collection, pagination } = listed.value;
    ours.push(...collection.filter((each) => each.callback_url.startsWith(own)).map(({ uri }) => uri));
    token = pagination.next_page_token ?? null;
  }
  for (const uri of ours) {
    const uuid = uri.split("/").at(-1) ?? "";
    const gone = yield del(at`https://api.calendly.com/webhook_subscriptions/${{ uuid }}`, headers);
    if (gone.status !== 204) return unforeseen(gone);
  }
  return undefined;
}

/** 403 is the plan, the token's scope or its owner's role: it concerns every person alike. */
const refused = (reply: Reply) =>
  reply.status === 403
    ? unauthorized(reply, "Calendly says that this plan, token or owner may not do this")
    : unforeseen(reply);
