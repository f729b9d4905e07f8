import { z } from "zod";
import {
  at,
  byStatus,
  type Call,
  get,
  noCall,
  postJson,
  type Reply,
  read,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import { readable, refusedCredential } from "../src/contract/check.ts";
import { absent, defineIntegration, type Hook, type Order, type Steps } from "../src/contract/integration.ts";
import { accountIn, CONNECTION, type TokenAnswer } from "../src/contract/oauth.ts";
import {
  type Answer,
  erased,
  found,
  notFound,
  type Sight,
  stoppedBecause,
  type Unauthorized,
  type Unforeseen,
} from "../src/contract/outcome.ts";
import { dnsLabel, optional, type Settings, secret, text } from "../src/contract/settings.ts";
import { form, type Signal, withinSecond } from "../src/contract/signal.ts";

/**
 * Mailchimp keeps audiences: who gets the tenant's newsletters, and what they did with them.
 * It tells us when a person leaves an audience; we have it erase a person for good, audience by audience.
 */
const WEBHOOKS = "https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/";
const OAUTH = "https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/";
const DELETE_FOR_GOOD = "https://mailchimp.com/developer/marketing/api/list-member-actions/";

const Text = z.string().min(1).optional();
const Fields = z.object({
  type: z.string().min(1),
  /** Unconfirmed: that it is UTC. It names no zone, and does no more than date a note. */
  fired_at: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
    .optional(),
  "data[action]": Text,
  "data[id]": Text,
  "data[list_id]": Text,
  "data[new_id]": Text,
});
type Fields = z.infer<typeof Fields>;

const Lists = z.object({ lists: z.array(z.object({ id: z.string().min(1) })), total_items: z.int() });
const Member = z.object({ id: z.string().min(1), email_address: z.string().nullish() });
/** A token that is no good is told inside 200. */
const Metadata = z.looseObject({ error: z.string().optional() });
const Members = z.object({ members: z.array(Member) });

const settings = {
  apiKey: secret("API key", /^[0-9a-f]{32}-[a-z0-9]{2,10}$/),
  dataCenter: dnsLabel("Data center: what stands after the hyphen of the API key, such as us21"),
  clientId: optional(text("Client id of the registered app", /^\d{6,20}$/)),
  clientSecret: optional(secret("Client secret of the registered app")),
  signingSecret: optional(secret("Signing secret of the webhook, shown once when it is made")),
  addressSecret: optional(
    secret(
      "A long random text of your own, as ?secret=… in the address of a webhook without signature",
      /^[A-Za-z0-9_-]{32,}$/,
    ),
  ),
} satisfies Settings;

/** Both kinds of webhook say the same; only how they prove it differs. */
const audience = {
  source: WEBHOOKS,
  contentTypes: ["application/x-www-form-urlencoded"],
  read: form(Fields, (fields, { receivedAt }) => [
    { id: idOf(fields), name: nameOf(fields), signals: signalsOf(fields, receivedAt) },
  ]),
  authority: { consent_withdrawn: "record", account_deleted: "record" },
  challenges: [{ ask: "presence", method: "GET", source: WEBHOOKS }],
  answer: 200,
  // "About 75 minutes".
  retriesForHours: 1.25,
  events: ["unsubscribe/unsub", "unsubscribe/delete", "cleaned", "upemail", "profile", "subscribe"],
} as const satisfies Omit<Hook, "verify">;

/** `expires_in` 0 and `scope` null mean nothing, and there may be no `token_type`: tokens do not expire, and may do everything. */
const adapt = ({ status, json }: TokenAnswer): TokenAnswer =>
  status === 200 && json.error === undefined
    ? { status, json: { access_token: json.access_token, token_type: "Bearer" } }
    : { status: status === 200 ? 400 : status, json };

const metadataCall = (accessToken: string): Call =>
  get(
    at`https://login.mailchimp.com/oauth2/metadata`,
    { accept: "application/json", authorization: `OAuth ${accessToken}` },
    { expects: [401] },
  );

export const mailchimp = defineIntegration({
  id: "mailchimp",
  name: "Mailchimp",
  about: "Keeps audiences and sends them newsletters.",
  origins: ["https://{dataCenter}.api.mailchimp.com", "https://login.mailchimp.com"],
  settings,
  identities: {
    "mailchimp.account": "Account that was connected: user_id of its metadata",
    "mailchimp.member": "Member of one audience: audience id, a slash, member id",
    "mailchimp.address_id": "An address's id across all audiences: unique_email_id, data[id] of a webhook",
  },

  hooks: {
    audience: {
      ...audience,
      verify: {
        scheme: "hmac",
        key: "signingSecret",
        hash: "SHA-256",
        signature: { header: "x-mailchimp-signature", encoding: "hex", items: { separator: ",", name: "v1" } },
        over: [{ item: "t" }, { text: "." }, "body"],
        // It asks for five minutes, and repeats for 75. Unconfirmed: that each attempt is signed anew; so no age is set.
      },
    },
    /** Webhooks made before there were signatures: whoever knows the address is believed, and nothing but a note comes of it. */
    "audience-unsigned": {
      ...audience,
      verify: { scheme: "shared-secret", key: "addressSecret", at: { query: "secret" } },
    },
  },

  oauth: {
    source: OAUTH,
    server: {
      issuer: "https://login.mailchimp.com",
      authorize: "https://login.mailchimp.com/oauth2/authorize",
      token: "https://login.mailchimp.com/oauth2/token",
    },
    client: { id: "clientId", secret: "clientSecret", by: "post" },
    pkce: absent("its guide names no parameters for it", OAUTH),
    // There are no scopes.
    scopes: { standard: [] },
    adapt,
    *account({ accessToken }) {
      const metadata = read(yield metadataCall(accessToken), Metadata);
      return metadata.ok ? accountIn("mailchimp.account", metadata.value, "user_id") : metadata;
    },
    refresh: absent("access tokens do not expire", OAUTH),
    // Nothing tells of an app's removal.
    *alive({ grant }) {
      const reply = yield metadataCall(grant.accessToken);
      if (reply.status === 401) return "ended";
      const metadata = read(reply, Metadata);
      if (!metadata.ok) return metadata.problem;
      const { error } = metadata.value;
      if (error === "invalid_token") return "ended";
      return error === undefined ? "alive" : unforeseen(reply, "the metadata have an error of another kind");
    },
    kills: "grant",
  },

  actions: {
    revoke: {
      source: OAUTH,
      by: [CONNECTION],
      each: "identity",
      // biome-ignore lint/correctness/useYield: there is nothing to be asked.
      *run() {
        return stoppedBecause(
          "Mailchimp has no revocation endpoint; the tokens held here are destroyed, and the person can remove the app among the account's connected apps",
        );
      },
    },
    erase: {
      source: DELETE_FOR_GOOD,
      by: ["mailchimp.member", "mailchimp.address_id", "email"],
      each: "identity",
      learns: ["mailchimp.member"],
      *run(order) {
        const { type, value } = order.identity;
        if (type === "mailchimp.member") return yield* eraseMember(value, order);
        return yield* membersOf(value, order);
      },
      look: {
        afterSeconds: 60,
        *run(order) {
          if (order.identity.type !== "mailchimp.member") return "no_view";
          const member = memberIn(order.identity.value);
          if (member === undefined) return noMember;
          return seen(
            yield get(
              at`https://${hostOf(order)}.api.mailchimp.com/3.0/lists/${{ list: member.list }}/members/${{ member: member.id }}`,
              auth(order),
            ),
          );
        },
      },
    },
  },

  check: {
    source: "https://mailchimp.com/developer/marketing/api/ping/",
    shows: "the key works at this data center; a key may do whatever its user may, which is not shown",
    *run({ apiKey, dataCenter }) {
      const settings = { apiKey, dataCenter };
      const misfit = keyMisfit({ settings });
      if (misfit !== undefined) return refusedCredential(misfit, misfit.what);
      const reply = yield get(at`https://${{ dataCenter }}.api.mailchimp.com/3.0/ping`, auth({ settings }));
      return readable(reply, z.object({ health_status: z.string() }), "the key's user may not use the API");
    },
  },

  residuals: [],
  retainable: [],
  // Ten connections for each user of the account, whoever else uses them.
  limits: { connections: 2, account: { settings: ["apiKey"] } },
});

type MailchimpOrder = Order<typeof settings>;

/** Basic, with any name. https://mailchimp.com/developer/marketing/docs/fundamentals/#authenticate-with-an-api-key */
const auth = ({ settings: { apiKey } }: { readonly settings: { readonly apiKey: string } }) => ({
  authorization: `Basic ${btoa(`quittance:${apiKey}`)}`,
});
const hostOf = ({ settings: { dataCenter } }: MailchimpOrder) => ({ dataCenter });

/** There is no delivery id: the same change of the same address in the same audience and second is the same delivery. */
const idOf = (fields: Fields) =>
  [
    nameOf(fields),
    fields["data[list_id]"] ?? "",
    fields["data[id]"] ?? fields["data[new_id]"] ?? "",
    fields.fired_at ?? "",
  ].join(":");

const nameOf = ({ type, "data[action]": action }: Fields) =>
  type === "unsubscribe" && action !== undefined ? `${type}/${action}` : type;

/** A member who was deleted may have been archived or erased, which cannot be told apart; so it is only noted. */
function signalsOf(fields: Fields, receivedAt: number): readonly Signal[] {
  const { type, fired_at, "data[action]": action, "data[id]": id } = fields;
  if (type !== "unsubscribe" || id === undefined) return [];
  const fired = fired_at === undefined ? Number.NaN : Date.parse(`${fired_at.replace(" ", "T")}Z`);
  const at = Number.isNaN(fired) ? receivedAt : withinSecond(fired / 1000);
  const identity = { type: "mailchimp.address_id", value: id };
  return [{ type: action === "delete" ? "account_deleted" : "consent_withdrawn", identity, at }];
}

/** Each audience is asked, and all of that has to fit into one run. */
const MOST_LISTS = 100;

/**
 * The person's member in each audience, archived ones included: the search over all of them is not exact, and the list of
 * audiences with an address is not said to count members who left.
 */
function* membersOf(value: string, order: MailchimpOrder): Steps<Answer> {
  const misfit = keyMisfit(order);
  if (misfit !== undefined) return misfit;
  const reply = yield get(
    at`https://${hostOf(order)}.api.mailchimp.com/3.0/lists?count=1000&fields=lists.id,total_items`,
    auth(order),
  );
  const lists = read(reply, Lists);
  if (!lists.ok) return lists.problem;
  if (lists.value.total_items > MOST_LISTS || lists.value.lists.length < lists.value.total_items)
    return unforeseen(reply, `more than ${MOST_LISTS} audiences: register the member's ids`);
  const members: string[] = [];
  for (const { id: list } of lists.value.lists) {
    const ids =
      order.identity.type === "email" ? yield* byEmail(list, value, order) : yield* byAddressId(list, value, order);
    if ("outcome" in ids) return ids;
    members.push(...ids.map((id) => `${list}/${id}`));
  }
  return found(members.map((member) => ({ type: "mailchimp.member", value: member })));
}

/** A member can be named by the hash of the address or by the address itself. */
function* byEmail(list: string, email: string, order: MailchimpOrder): Steps<readonly string[] | Unforeseen> {
  const reply = yield get(
    at`https://${hostOf(order)}.api.mailchimp.com/3.0/lists/${{ list }}/members/${{ email }}`,
    auth(order),
  );
  if (reply.status === 404) return [];
  const member = read(reply, Member);
  if (!member.ok) return member.problem;
  return member.value.email_address?.toLowerCase() === email.toLowerCase()
    ? [member.value.id]
    : unforeseen(reply, "Mailchimp gave a member with another address");
}

function* byAddressId(list: string, id: string, order: MailchimpOrder): Steps<readonly string[] | Unforeseen> {
  const members = read(
    yield get(
      at`https://${hostOf(order)}.api.mailchimp.com/3.0/lists/${{ list }}/members?unique_email_id=${{ id }}&fields=members.id`,
      auth(order),
    ),
    Members,
  );
  return members.ok ? members.value.members.map((member) => member.id) : members.problem;
}

/** DELETE would only archive. */
function* eraseMember(value: string, order: MailchimpOrder): Steps<Answer> {
  const member = memberIn(value);
  if (member === undefined) return noMember;
  const misfit = keyMisfit(order);
  if (misfit !== undefined) return misfit;
  const reply = yield postJson(
    at`https://${hostOf(order)}.api.mailchimp.com/3.0/lists/${{ list: member.list }}/members/${{ member: member.id }}/actions/delete-permanent`,
    auth(order),
    {},
  );
  return byStatus(reply, { 204: erased, 404: notFound });
}

function memberIn(value: string): { readonly list: string; readonly id: string } | undefined {
  const [, list, id] = /^([^/]+)\/([^/]+)$/.exec(value) ?? [];
  return list === undefined || id === undefined ? undefined : { list, id };
}

const noMember = unforeseen(noCall, "a member reads audience/member; correct it where it was registered");

/** At another data center the key is nobody's, and it is not shown there. */
const keyMisfit = ({
  settings: { apiKey, dataCenter },
}: {
  readonly settings: Pick<MailchimpOrder["settings"], "apiKey" | "dataCenter">;
}): Unauthorized | undefined =>
  apiKey.endsWith(`-${dataCenter}`) ? undefined : unauthorized(noCall, "the data center is not the one of the API key");

const seen = (reply: Reply): Sight => {
  if (reply.status === 404) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply, "the look was refused");
};
