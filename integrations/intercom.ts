import { z } from "zod";
import {
  type Address,
  at,
  bearer,
  byStatus,
  type Call,
  del,
  get,
  postJson,
  type Reply,
  read,
  unforeseen,
} from "../src/contract/call.ts";
import { fine, lacksScope, unclear } from "../src/contract/check.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { accountIn, CONNECTION, grantOf, type TokenAnswer } from "../src/contract/oauth.ts";
import { type Answer, erased, found, notFound, revoked, type Sight } from "../src/contract/outcome.ts";
import { optional, type Settings, secret, text } from "../src/contract/settings.ts";
import { json, type Signal, UnixSeconds, withinSecond } from "../src/contract/signal.ts";
import type { Hmac } from "../src/contract/verification.ts";

/**
 * Intercom keeps the tenant's contacts, users and leads alike, and their conversations.
 * It tells us when a contact was deleted, and hints at the app's removal; we have it erase a contact for good.
 */
const WEBHOOKS = "https://developers.intercom.com/docs/webhooks/webhook-notifications";
const OAUTH = "https://developers.intercom.com/docs/build-an-integration/learn-more/authentication/setting-up-oauth";
const UNINSTALLING =
  "https://developers.intercom.com/docs/build-an-integration/learn-more/authentication/installing-uninstalling-apps";
const DELETE_CONTACT =
  "https://developers.intercom.com/docs/references/rest-api/api.intercom.io/contacts/deletecontact";
const DELETE_FOR_GOOD = "https://developers.intercom.com/docs/references/1.3/rest-api/users/delete-users";

const VERSION = { accept: "application/json", "intercom-version": "2.16" };
/** The last version whose reference has permanent deletion. */
const DELETION_VERSION = { accept: "application/json", "intercom-version": "1.3" };

const Id = z.union([z.string().min(1), z.int().positive()]).transform(String);
/** An item is the thing itself, names its contact, or is a stub of a conversation. */
const Item = z.object({
  id: Id.nullish(),
  contact: z.object({ id: Id }).nullish(),
  conversation_id: Id.nullish(),
});
const Notification = z
  .object({
    topic: z.string(),
    /** None where Intercom only wants to see whether we answer. */
    id: Id.nullish(),
    created_at: UnixSeconds.nullish(),
    data: z.object({ item: Item }).nullish(),
  })
  .refine(({ topic, data }) => !DELETIONS.has(topic) || data?.item.id != null, { path: ["data", "item", "id"] });
type Notification = z.infer<typeof Notification>;

/** The second is its name for users in the first versions of the API. */
const DELETIONS: ReadonlySet<string> = new Set(["contact.deleted", "user.deleted"]);

const Contact = z.object({ id: Id, email: z.string().nullish(), external_id: z.string().nullish() });
const Page = z.object({
  data: z.array(Contact),
  pages: z.object({ next: z.object({ starting_after: z.string() }).nullish() }).nullish(),
});
const Deleted = z.object({ deleted: z.literal(true) });
const Me = z.object({ app: z.looseObject({}) });
const Errors = z.object({ errors: z.array(z.object({ code: z.string() })).min(1) });
const Requested = z.object({ id: z.union([z.int(), z.string()]) });

const settings = {
  region: text("Region of the workspace: us, eu or au", /^(us|eu|au)$/),
  accessToken: secret("Access token"),
  clientId: optional(text("Client id of the app", /^[\w-]{8,64}$/)),
  clientSecret: optional(secret("Client secret of the app, which signs its webhooks and proves it to Intercom")),
  workspaceId: optional(text("Workspace id: notifications that name another are refused", /^[a-z0-9]{1,40}$/i)),
  uninstallSecret: optional(
    secret("A long random text of your own, as ?secret=… in the uninstall address", /^[A-Za-z0-9_-]{32,}$/),
  ),
} satisfies Settings;

const SIGNED: Hmac = {
  scheme: "hmac",
  key: "clientSecret",
  hash: "SHA-1",
  signature: { header: "x-hub-signature", encoding: "hex", prefix: "sha1=" },
  over: ["body"],
};
/** One secret for all workspaces in which the app is installed, and all of them are told to one address. */
const WORKSPACE = [{ at: ["app_id"], setting: "workspaceId" }] as const;

/**
 * A refusal is a list of errors, whose codes are Intercom's own. Unconfirmed: which one a code that is no good has; there is no
 * refresh token, so nothing depends on it.
 */
function adapt({ status, json }: TokenAnswer): TokenAnswer {
  const refusal = Errors.safeParse(json);
  return refusal.success ? { status: 400, json: { error: refusal.data.errors[0]?.code } } : { status, json };
}

/** At the address that is every region's: Intercom finds the workspace by the token. */
const meCall = (accessToken: string): Call =>
  get(at`https://api.intercom.io/me`, { ...bearer(accessToken), ...VERSION }, { expects: [401] });

export const intercom = defineIntegration({
  id: "intercom",
  name: "Intercom",
  about: "Keeps contacts and conversations with them.",
  origins: ["https://api.intercom.io", "https://api.eu.intercom.io", "https://api.au.intercom.io"],
  settings,
  identities: {
    "intercom.contact": "Contact id, of a user or a lead",
    "intercom.conversation": "Conversation id",
    "intercom.workspace": "Workspace id: the app_id of a notification",
  },

  hooks: {
    topics: {
      source: WEBHOOKS,
      verify: { ...SIGNED, expects: WORKSPACE },
      contentTypes: ["application/json"],
      read: json(Notification, (notification, { receivedAt }) => [
        { id: idOf(notification), name: notification.topic, signals: signalsOf(notification, receivedAt) },
      ]),
      authority: {
        account_deleted: "here",
        account_disabled: "record",
        consent_withdrawn: "record",
        content_deleted: "record",
      },
      challenges: [{ ask: "presence", method: "HEAD", source: WEBHOOKS }],
      answer: 200,
      // It repeats once, after a minute.
      retriesForHours: 1,
      events: [
        "contact.deleted",
        "contact.archived",
        "contact.unsubscribed",
        "contact.merged",
        "conversation.deleted",
        "user.deleted",
        "ping",
      ],
    },
    /**
     * The page says of no signature. Unconfirmed: that there is none; so the address carries a secret of ours, a signature that
     * comes along has to hold, and what comes is only noted: whether the token still works shows at the next call.
     */
    uninstall: {
      source: UNINSTALLING,
      verify: {
        scheme: "shared-secret",
        key: "uninstallSecret",
        at: { query: "secret" },
        signed: SIGNED,
        expects: WORKSPACE,
      },
      contentTypes: ["application/json"],
      // Neither an id nor a time comes with it, so a workspace leaves once.
      read: json(z.object({ app_id: Id }), ({ app_id }, { receivedAt }) => [
        {
          id: `uninstall:${app_id}`,
          name: "uninstall",
          signals: [{ type: "deauthorized", identity: { type: "intercom.workspace", value: app_id }, at: receivedAt }],
        },
      ]),
      authority: { deauthorized: "record" },
      challenges: [{ ask: "presence", method: "HEAD", source: WEBHOOKS }],
      answer: 200,
      retriesForHours: "unknown",
      events: ["uninstall"],
    },
  },

  oauth: {
    source: OAUTH,
    server: {
      issuer: "https://app.intercom.com",
      authorize: "https://app.intercom.com/oauth",
      token: "https://api.intercom.io/auth/eagle/token",
    },
    // Its page lists the code, the client's id and its secret, and no more.
    client: {
      id: "clientId",
      secret: "clientSecret",
      by: "post",
      exchange: { omits: ["grant_type", "redirect_uri"] },
    },
    pkce: absent("its page names no parameters for it", OAUTH),
    // Permissions are chosen in the Developer Hub.
    scopes: { standard: [] },
    adapt,
    *account({ accessToken }) {
      const me = read(yield meCall(accessToken), Me);
      return me.ok ? accountIn("intercom.workspace", me.value.app, "id_code") : me;
    },
    refresh: absent("access tokens do not expire", OAUTH),
    // The uninstall notice is not signed, and only noted.
    *alive({ grant }) {
      const reply = yield meCall(grant.accessToken);
      if (reply.status === 401) return "ended";
      return reply.status === 200 ? "alive" : unforeseen(reply);
    },
    // What is revoked is the app's installation in the workspace.
    kills: "account",
  },

  actions: {
    revoke: {
      source: `${UNINSTALLING}#revoking-access`,
      by: [CONNECTION],
      each: "identity",
      *run(order) {
        const headers = { ...bearer(grantOf(order).accessToken), accept: "application/json" };
        const reply = yield postJson(at`https://api.intercom.io/auth/uninstall`, headers, {}, { expects: [401] });
        // Unconfirmed: that it is 200, which its page does not say; the look has the last word.
        return byStatus(reply, { 200: revoked, 401: notFound });
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          const reply = yield meCall(grantOf(order).accessToken);
          if (reply.status === 401) return "absent";
          return reply.status === 200 ? "present" : unforeseen(reply);
        },
      },
    },
    erase: {
      source: DELETE_CONTACT,
      by: ["intercom.contact", "email", "user_id"],
      each: "identity",
      learns: ["intercom.contact"],
      *run(order) {
        const { type, value } = order.identity;
        if (type === "email") return yield* contactsBy("email", value, order);
        if (type === "user_id") return yield* contactsBy("external_id", value, order);
        return yield* eraseContact(value, order);
      },
      look: {
        afterSeconds: 60,
        *run(order) {
          if (order.identity.type !== "intercom.contact") return "no_view";
          return seen(yield get(contactAt(order), auth(order)));
        },
      },
    },
  },

  check: {
    source: "https://developers.intercom.com/docs/references/rest-api/api.intercom.io/admins/identifyadmin",
    shows: "the token is of a workspace of this region; the right to delete contacts is not shown before it is used",
    *run(settings) {
      const reply = yield get(under({ settings }, at`/me`), { ...bearer(settings.accessToken), ...VERSION });
      if (reply.status === 403) return lacksScope(reply, "the token may not read its own workspace");
      const me = read(reply, z.object({ type: z.string(), id: z.union([z.string(), z.int()]) }));
      return me.ok ? fine : unclear(me.problem);
    },
  },

  residuals: [
    {
      category: "deleted_contacts",
      days: 90,
      ground: "Intercom can restore a deleted contact for 7 days and destroys what it held within 90",
      source: DELETE_FOR_GOOD,
    },
  ],
  retainable: [],
  limits: { connections: 2, account: { settings: ["accessToken"] } },
});

type IntercomOrder = Order<typeof settings>;
const auth = ({ settings: { accessToken } }: IntercomOrder) => ({ ...bearer(accessToken), ...VERSION });

/** A workspace's data are at its region's address, and only there. */
function under({ settings: { region } }: Pick<IntercomOrder, "settings">, path: Address): Address {
  const origin =
    region === "us"
      ? at`https://api.intercom.io`
      : region === "eu"
        ? at`https://api.eu.intercom.io`
        : at`https://api.au.intercom.io`;
  return { url: origin.url + path.url, template: origin.template + path.template };
}
const contactAt = (order: IntercomOrder) => under(order, at`/contacts/${{ contact: order.identity.value }}`);

/** Only a ping is known to have no id. */
const idOf = ({ id, topic, created_at, data }: Notification) =>
  id ?? `${topic}:${data?.item.id ?? ""}:${created_at ?? ""}`;

/** An archived contact comes back with the person, so it is no erasure; what a merge leaves behind is another contact's. */
function signalsOf({ topic, created_at, data }: Notification, receivedAt: number): readonly Signal[] {
  const at = created_at == null ? receivedAt : withinSecond(created_at);
  const { id, contact, conversation_id } = data?.item ?? {};
  const said = (type: Signal["type"], kind: "contact" | "conversation", value: string | null | undefined) =>
    value == null ? [] : [{ type, identity: { type: `intercom.${kind}`, value }, at }];
  switch (topic) {
    case "contact.deleted":
    case "user.deleted":
      return said("account_deleted", "contact", id);
    case "contact.archived":
    case "contact.archive":
      return said("account_disabled", "contact", id);
    case "contact.unsubscribed":
      return said("consent_withdrawn", "contact", contact?.id ?? id);
    case "conversation.deleted":
      return said("content_deleted", "conversation", conversation_id ?? id);
    default:
      return [];
  }
}

/** More contacts with one address are no person's. */
const MOST = 150;

/** A user and several leads may share an address, so all of them are found; each is compared. */
function* contactsBy(field: "email" | "external_id", value: string, order: IntercomOrder): Steps<Answer> {
  const ids: string[] = [];
  let after: string | undefined;
  do {
    const query = { field, operator: "=", value };
    const pagination = { per_page: 50, ...(after !== undefined && { starting_after: after }) };
    const reply = yield postJson(under(order, at`/contacts/search`), auth(order), { query, pagination });
    const page = read(reply, Page);
    if (!page.ok) return page.problem;
    const same = (theirs: string | null | undefined) =>
      field === "email" ? theirs?.toLowerCase() === value.toLowerCase() : theirs === value;
    ids.push(...page.value.data.filter((contact) => same(contact[field])).map(({ id }) => id));
    after = page.value.pages?.next?.starting_after;
    if (after !== undefined && page.value.data.length === 0)
      return unforeseen(reply, "a list that goes on with nothing");
    if (ids.length > MOST) return unforeseen(reply, `more than ${MOST} contacts; delete some in Intercom, then retry`);
  } while (after !== undefined);
  return found(ids.map((id) => ({ type: "intercom.contact", value: id })));
}

/**
 * Permanent deletion is asked for first, because afterwards nothing is there to ask it for; it has no answer but a number.
 * The deletion that follows says whether the contact is gone. Unconfirmed: that permanent deletion is there for every
 * workspace and for leads; where it is refused, the deletion alone is Intercom's word.
 */
function* eraseContact(contact: string, order: IntercomOrder): Steps<Answer> {
  const {
    settings: { accessToken },
  } = order;
  const asked = yield postJson(
    under(order, at`/user_delete_requests`),
    { ...bearer(accessToken), ...DELETION_VERSION },
    { intercom_user_id: contact },
  );
  const isRefused = asked.status >= 400 && asked.status < 500;
  const requested = isRefused ? undefined : read(asked, Requested);
  if (requested?.ok === false) return requested.problem;
  const reply = yield del(contactAt(order), auth(order));
  if (reply.status === 410) return survivor(reply, contact);
  // Gone by the request already, if that was taken.
  if (reply.status !== 200) return byStatus(reply, { 404: isRefused ? notFound : erased });
  const deleted = read(reply, Deleted);
  return deleted.ok ? erased : deleted.problem;
}

/** A contact that was merged is gone, and a header names the one that has its data. */
function survivor(reply: Reply, contact: string): Answer {
  const id = /\/contacts\/([\w-]+)/.exec(reply.header("link") ?? "")?.[1];
  return id === undefined || id === contact
    ? unforeseen(reply, "the contact was merged, and Intercom does not say into which")
    : found([{ type: "intercom.contact", value: id }]);
}

const seen = (reply: Reply): Sight => {
  if (reply.status === 404) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply, "the look was refused");
};
