import { z } from "zod";
import {
  at,
  bearer,
  byStatus,
  del,
  get,
  noCall,
  postJson,
  type Reply,
  read,
  unforeseen,
} from "../src/contract/call.ts";
import { NOBODY, readable } from "../src/contract/check.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { accountIn, CONNECTION, grantOf, type TokenAnswer } from "../src/contract/oauth.ts";
import { type Answer, erased, found, notFound, revoked, type Unforeseen } from "../src/contract/outcome.ts";
import { optional, type Settings, secret, text } from "../src/contract/settings.ts";
import { json, type SignalType } from "../src/contract/signal.ts";

/**
 * HubSpot: the tenant's customer relations.
 * It tells us when a contact was deleted for good under privacy law, when one was deleted so that it can be restored, and
 * when conversations were deleted. It tells ids only, in batches. We delete contacts for
 * good, found by id or by any of their addresses.
 */
const WEBHOOKS = "https://developers.hubspot.com/docs/api-reference/latest/webhooks/guide";
const VALIDATION = "https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests";
const DELETION =
  "https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/gdpr/post-crm-v3-objects-contacts-gdpr-delete";
const OAUTH = "https://developers.hubspot.com/docs/api-reference/auth-oauth-v3/guide";
const UNINSTALL =
  "https://developers.hubspot.com/docs/api-reference/2026-03/app-management/app-uninstalls/uninstall-app";

const TIME = "x-hubspot-request-timestamp";

const Id = z.union([z.int().nonnegative().transform(String), z.string().regex(/^[\w-]{1,100}$/)]);

const Event = z.object({
  subscriptionType: z.string().min(1),
  portalId: Id,
  occurredAt: z.int().nonnegative().max(8_640_000_000_000_000),
  objectId: Id.nullish(),
  objectTypeId: z.string().nullish(),
});

/** A deletion can be restored for 90 days; for good is what a person asked for. It comes with an ordinary one, in either order. */
const MEANINGS: ReadonlyMap<string, { readonly type: SignalType; readonly kind: string }> = new Map([
  ["contact.privacyDeletion", { type: "account_deleted", kind: "contact" }],
  ["contact.deletion", { type: "account_disabled", kind: "contact" }],
  ["contact.restore", { type: "account_restored", kind: "contact" }],
  ["conversation.privacyDeletion", { type: "content_deleted", kind: "conversation" }],
  ["conversation.deletion", { type: "content_deleted", kind: "conversation" }],
]);

/** The newer names say `object`, and of which kind in a member of its own: contacts are `0-1`. */
const nameOf = ({ subscriptionType, objectTypeId }: z.infer<typeof Event>): string =>
  objectTypeId === "0-1" ? subscriptionType.replace(/^object\./, "contact.") : subscriptionType;

const Batch = z.array(
  Event.refine((event) => !MEANINGS.has(nameOf(event)) || event.objectId != null, { path: ["objectId"] }),
);

const Contacts = z.object({
  results: z.array(
    z.object({
      id: z.string().min(1),
      properties: z.object({ email: z.string().nullish(), hs_additional_emails: z.string().nullish() }),
    }),
  ),
  paging: z.object({ next: z.object({ after: z.string().min(1) }).nullish() }).nullish(),
});
const Details = z.looseObject({ portalId: z.int().positive() });
const Contact = z.object({ id: z.string().min(1) });

const settings = {
  accessToken: secret("Access token of the private app"),
  portalId: text("Account id (Hub ID)", /^\d{1,20}$/),
  clientId: optional(text("Client id of the app", /^[\w-]{8,64}$/)),
  clientSecret: optional(secret("Client secret of the app")),
} satisfies Settings;

/** HubSpot's own words for a code or a refresh token that is no good; where it says `invalid_grant`, that is taken as it is. */
const SPENT: ReadonlySet<unknown> = new Set(["BAD_AUTH_CODE", "EXPIRED_AUTH_CODE", "BAD_REFRESH_TOKEN"]);

/** Scopes come as a list. Unconfirmed: which form refusals of this version have; both that are known of HubSpot are read. */
function adapt({ status, json }: TokenAnswer): TokenAnswer {
  const { scopes, error, category } = json;
  if (status === 200) return { status, json: { ...json, ...(Array.isArray(scopes) && { scope: scopes.join(" ") }) } };
  if (typeof error === "string") return { status, json };
  const word = typeof category === "string" ? category.toLowerCase() : "refused";
  return { status, json: { error: SPENT.has(json.status) ? "invalid_grant" : word } };
}

/** Every app may read it: it needs no scope but `oauth`. */
const detailsCall = (accessToken: string) =>
  get(at`https://api.hubapi.com/account-info/2026-03/details`, bearer(accessToken), { expects: [401] });

/** HubSpot says of every API that 401 means a token that is no good. */
function tokenSeen(reply: Reply): "absent" | "present" | Unforeseen {
  if (reply.status === 401) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply);
}

export const hubspot = defineIntegration({
  id: "hubspot",
  name: "HubSpot",
  about: "Customer relations: contacts, their conversations and what was sent to them.",
  origins: ["https://api.hubapi.com"],
  settings,
  identities: {
    "hubspot.account": "Account id (Hub ID) of an account that was connected",
    "hubspot.contact": "`<account id>/<contact id>`",
    "hubspot.conversation": "`<account id>/<thread id>`",
  },

  hooks: {
    events: {
      source: WEBHOOKS,
      verify: {
        scheme: "hmac",
        hash: "SHA-256",
        key: "clientSecret",
        signature: { header: "x-hubspot-signature-v3", encoding: "base64" },
        over: ["method", "url", "body", { header: TIME }],
        // HubSpot's own rule, and it repeats for 24 hours: a repeat must be signed anew, or none would ever pass it.
        fresh: { at: { header: TIME }, unit: "milliseconds", withinSeconds: 300 },
      },
      contentTypes: ["application/json"],
      read: json(Batch, (events) =>
        events.map((event) => {
          const { portalId, objectId, occurredAt: at } = event;
          const name = nameOf(event);
          const meaning = MEANINGS.get(name);
          // `eventId` is not unique.
          const id = `${portalId}:${name}:${objectId ?? ""}:${at}`;
          if (meaning === undefined || objectId == null) return { id, name, signals: [] };
          const identity = { type: `hubspot.${meaning.kind}`, value: `${portalId}/${objectId}` };
          return { id, name, signals: [{ type: meaning.type, identity, at }] };
        }),
      ),
      authority: {
        // "This will allow your integration to comply with a user's request to permanently delete the contact and all
        // associated data": https://developers.hubspot.com/changelog/now-live-webhooks-now-support-privacy-compliant-contact-deletions
        account_deleted: "everywhere",
        account_disabled: "record",
        account_restored: "record",
        content_deleted: "record",
      },
      answer: 200,
      refusal: { status: 401, source: VALIDATION },
      // Ten times.
      retriesForHours: 24,
      events: [...MEANINGS.keys()],
    },
  },

  oauth: {
    source: OAUTH,
    server: {
      issuer: "https://app.hubspot.com",
      authorize: "https://app.hubspot.com/oauth/authorize",
      token: "https://api.hubapi.com/oauth/2026-03/token",
    },
    client: { id: "clientId", secret: "clientSecret", by: "post" },
    pkce: absent(
      "the token endpoint takes a verifier, but nothing says that the page before it takes a challenge",
      OAUTH,
    ),
    // HubSpot wants all that the app's settings require; this one every app has.
    scopes: { standard: ["oauth"] },
    adapt,
    *account({ accessToken, answer }) {
      if (answer.hub_id != null) return accountIn("hubspot.account", answer, "hub_id");
      const details = read(yield detailsCall(accessToken), Details);
      return details.ok ? accountIn("hubspot.account", details.value, "portalId") : details;
    },
    refresh: { source: OAUTH },
    // That an account removed the app is not told by webhook.
    *alive({ grant }) {
      const sight = tokenSeen(yield detailsCall(grant.accessToken));
      if (sight === "absent") return "ended";
      return sight === "present" ? "alive" : sight;
    },
    // An app is installed in an account once.
    kills: "account",
    revokesWithAccess: true,
  },

  actions: {
    erase: {
      source: DELETION,
      by: ["hubspot.contact", "email"],
      each: "identity",
      learns: ["hubspot.contact"],
      *run(order) {
        const { type, value } = order.identity;
        return type === "email" ? yield* contactsWith(value, order) : yield* eraseContact(value, order);
      },
      look: {
        afterSeconds: 60,
        *run(order) {
          const { type, value } = order.identity;
          if (type === "email") {
            const left = yield* contactsWith(value, order);
            if (left.outcome === "unforeseen") return left;
            return left.outcome === "not_found" ? "absent" : "present";
          }
          const id = ownId(value, order);
          if (id === undefined) return foreign;
          const reply = yield get(contactAt(id), auth(order));
          if (reply.status === 404) return "absent";
          const contact = read(reply, Contact);
          return contact.ok ? "present" : contact.problem;
        },
      },
    },
    revoke: {
      source: UNINSTALL,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const uninstall = at`https://api.hubapi.com/appinstalls/2026-03/external-install`;
        const reply = yield del(uninstall, bearer(grantOf(order).accessToken), { expects: [401] });
        return byStatus(reply, { 204: revoked, 401: notFound });
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          return tokenSeen(yield detailsCall(grantOf(order).accessToken));
        },
      },
    },
  },

  check: {
    source: "https://developers.hubspot.com/docs/api-reference/search/guide",
    shows: "the token searches contacts; the right to delete them for good is not shown before it is used",
    posts: "a search changes nothing",
    *run({ accessToken }) {
      const search = at`https://api.hubapi.com/crm/objects/2026-03/contacts/search`;
      const filters = [{ propertyName: "email", operator: "EQ", value: NOBODY }];
      const body = { filterGroups: [{ filters }], properties: ["email"], sorts: [], limit: 1, after: "0" };
      const reply = yield postJson(search, bearer(accessToken), body);
      return readable(reply, Contacts, "the token lacks crm.objects.contacts.read");
    },
  },

  residuals: [
    {
      category: "deleted_contacts",
      days: 30,
      ground: "HubSpot purges what was deleted for good within 30 days",
      source: "https://knowledge.hubspot.com/privacy-and-consent/how-do-i-perform-a-gdpr-delete-in-hubspot",
    },
  ],
  retainable: [],
  limits: {
    perSecond: 5,
    connections: 2,
    account: { settings: ["portalId"] },
    // The smallest plan's. It ends at midnight in the account's own zone, which is not known here.
    perDay: {
      calls: 250_000,
      resets: "rolling",
      source: "https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines",
    },
  },
});

type HubspotOrder = Order<typeof settings>;
const auth = ({ settings }: HubspotOrder) => bearer(settings.accessToken);

/** Versions carry their date; this one is raised with a release. */
const contactAt = (id: string) => at`https://api.hubapi.com/crm/objects/2026-03/contacts/${{ contact: id }}`;

/** More is for a person to look at: one address has a contact or two. */
const MAX_PAGES = 10;

/**
 * Contacts with this address, as their own or as a further one. The search compares word by word, so each hit is compared
 * again: what only resembles it stays. A deletion by address is not used, because it blocks an address that it does not find.
 */
function* contactsWith(email: string, order: HubspotOrder): Steps<Answer> {
  const value = email.toLowerCase();
  const search = at`https://api.hubapi.com/crm/objects/2026-03/contacts/search`;
  const having = (propertyName: string, operator: string) => ({ filters: [{ propertyName, operator, value }] });
  const ids: string[] = [];
  let after = "0";
  for (let pages = 1; ; pages++) {
    const reply = yield postJson(search, auth(order), {
      filterGroups: [having("email", "EQ"), having("hs_additional_emails", "CONTAINS_TOKEN")],
      properties: ["email", "hs_additional_emails"],
      sorts: [],
      limit: 100,
      after,
    });
    const page = read(reply, Contacts);
    if (!page.ok) return page.problem;
    for (const { id, properties } of page.value.results) {
      const further = properties.hs_additional_emails?.split(";") ?? [];
      const all = [properties.email ?? "", ...further].map((each) => each.trim().toLowerCase());
      if (all.includes(value)) ids.push(id);
    }
    const next = page.value.paging?.next?.after;
    if (next === undefined)
      return found(ids.map((id) => ({ type: "hubspot.contact", value: `${order.settings.portalId}/${id}` })));
    if (pages === MAX_PAGES) return unforeseen(reply, "more than a thousand contacts resemble one address");
    after = next;
  }
}

/** Contact ids are an account's own. */
function ownId(value: string, { settings }: HubspotOrder): string | undefined {
  const [portal, id, ...more] = value.split("/");
  return portal === settings.portalId && more.length === 0 && id !== undefined && /^\d+$/.test(id) ? id : undefined;
}

const foreign = unforeseen(noCall, "a contact that is not of this HubSpot account");

/**
 * For good, whether the contact is there or was deleted so that it could be restored. Unconfirmed: what the deletion answers
 * for an id that is not there; so it is looked for first, and a 404 of the deletion too means that it is not there.
 */
function* eraseContact(value: string, order: HubspotOrder): Steps<Answer> {
  const id = ownId(value, order);
  if (id === undefined) return foreign;
  const address = contactAt(id);
  let reply = yield get(address, auth(order));
  if (reply.status === 404) {
    const restorable = at`?archived=true`;
    const archived = { url: address.url + restorable.url, template: address.template + restorable.template };
    reply = yield get(archived, auth(order));
    if (reply.status === 404) return notFound;
  }
  // A contact that was merged into another is read under the id of the other, which has its data.
  const contact = read(reply, Contact);
  if (!contact.ok) return contact.problem;
  const purge = at`https://api.hubapi.com/crm/objects/2026-03/contacts/gdpr-delete`;
  return byStatus(yield postJson(purge, auth(order), { objectId: contact.value.id }), { 204: erased, 404: notFound });
}
