import { z } from "zod";
import {
  type Address,
  at,
  bearer,
  byStatus,
  del,
  get,
  postJson,
  type Reply,
  read,
  unforeseen,
} from "../src/contract/call.ts";
import { fine, lacksScope, unclear } from "../src/contract/check.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import {
  type Answer,
  accepted,
  erased,
  found,
  informed,
  notFound,
  retained,
  type Sight,
  type Unforeseen,
} from "../src/contract/outcome.ts";
import { optional, type Settings, secret, text } from "../src/contract/settings.ts";
import { json, type Signal, UnixSeconds, withinSecond } from "../src/contract/signal.ts";

/**
 * Twilio SendGrid sends the tenant's mail. It holds what was sent to whom, marketing contacts, and whom not to write to.
 * It tells us when a person does not want mail any more; we have it erase a recipient, a contact and their suppressions.
 */
const EVENTS = "https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event";
const SIGNATURE =
  "https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features";
const ERASE =
  "https://www.twilio.com/docs/sendgrid/api-reference/recipients-data-erasure-api/erase-recipients-email-data";

const SUPPRESSIONS = "suppression_list";

const Event = z.object({
  event: z.string().min(1),
  /** One mail may have several, in any batch. */
  sg_event_id: z.string().min(1).nullish(),
  sg_message_id: z.string().nullish(),
  email: z.string().min(1).nullish(),
  timestamp: UnixSeconds.nullish(),
});
type Event = z.infer<typeof Event>;

/** "Do not want mail": each is withdrawn consent, and none is a wish to be erased. */
const WITHDRAWALS: ReadonlySet<string> = new Set(["unsubscribe", "group_unsubscribe", "spamreport"]);

const Job = z.object({ job_id: z.string().min(1) });
const Import = z.object({ status: z.enum(["pending", "completed", "errored", "failed"]) });
const Contact = z.object({
  id: z.string().min(1),
  email: z.string().nullish(),
  alternate_emails: z.array(z.string()).nullish(),
});
const Matches = z.object({ result: z.record(z.string(), z.object({ contact: Contact.nullish() })) });
const Groups = z.object({ suppressions: z.array(z.object({ id: z.int(), suppressed: z.boolean() })) });
const Global = z.object({ recipient_email: z.string().nullish() });

const Scopes = z.object({ scopes: z.array(z.string()) });
/**
 * Unconfirmed beyond the first, which the erasure's page names: that contacts need `marketing.read`, and the lists their own
 * `delete`. Where a key can do without, the finding is too strict and harms nothing.
 */
const SCOPES = ["recipients.erasejob.create", "marketing.read", "suppression.bounces.delete"];

const settings = {
  region: text("Region of the account: us or eu", /^(us|eu)$/),
  apiKey: secret("API key", /^SG\./),
  subuser: optional(text("Subuser, where this entry is for one", /^[\x21-\x7e]+$/)),
  verificationKey: optional(text("Verification key of the Event Webhook", /^[A-Za-z0-9+/]{40,}={0,2}$/)),
} satisfies Settings;

export const sendgrid = defineIntegration({
  id: "sendgrid",
  name: "Twilio SendGrid",
  about: "Sends mail to people and keeps whom it was sent to.",
  origins: ["https://api.sendgrid.com", "https://api.eu.sendgrid.com"],
  settings,
  identities: {
    "sendgrid.contact": "Marketing contact id",
    "sendgrid.recipient": "E-mail address to which mail was sent",
    "sendgrid.suppressions": "E-mail address on the lists of those who are not written to",
  },

  hooks: {
    events: {
      source: SIGNATURE,
      verify: {
        scheme: "ecdsa-p256",
        key: "verificationKey",
        signature: { header: "x-twilio-email-event-webhook-signature", encoding: "base64" },
        over: [{ header: "x-twilio-email-event-webhook-timestamp" }, "body"],
        // It repeats for a day. Unconfirmed: whether each attempt is signed anew; a repeat is known by its events' ids.
      },
      contentTypes: ["application/json"],
      read: json(z.array(Event), (events, { receivedAt }) =>
        events.map((event) => ({ id: idOf(event), name: event.event, signals: signalsOf(event, receivedAt) })),
      ),
      authority: { consent_withdrawn: "record" },
      answer: 200,
      retriesForHours: 24,
      events: ["unsubscribe", "group_unsubscribe", "group_resubscribe", "spamreport"],
    },
  },

  oauth: absent("API keys only", "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/authentication"),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", EVENTS),
    erase: {
      source: ERASE,
      by: ["email", "sendgrid.contact", "sendgrid.recipient", "sendgrid.suppressions"],
      each: "identity",
      learns: ["sendgrid.contact"],
      *run(order) {
        const { type, value } = order.identity;
        if (type === "email") return yield* heldFor(value, order);
        if (type === "sendgrid.recipient") return yield* eraseRecipient(value, order);
        if (type === "sendgrid.suppressions") return yield* eraseSuppressions(value, order);
        return yield* eraseContact(value, order);
      },
      *check(job, order) {
        return imported(yield get(under(order, at`/v3/marketing/contacts/imports/${{ job }}`), auth(order)), job);
      },
      look: {
        afterSeconds: 60,
        *run(order) {
          const { type, value } = order.identity;
          if (type === "sendgrid.suppressions") return yield* listsSeen(value, order);
          if (type !== "sendgrid.contact") return "no_view";
          return seen(yield get(under(order, at`/v3/marketing/contacts/${{ contact: value }}`), auth(order)));
        },
      },
    },
  },

  check: {
    source:
      "https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions/retrieve-a-list-of-scopes-for-which-this-user-has-access",
    shows: "the key has the scopes for erasing recipients, reading contacts and emptying suppression lists",
    *run(settings) {
      const order = { settings };
      const reply = yield get(under(order, at`/v3/scopes`), auth(order));
      if (reply.status === 403) return lacksScope(reply, "the key may not read its own scopes");
      const list = read(reply, Scopes);
      if (!list.ok) return unclear(list.problem);
      const lacking = SCOPES.filter((scope) => !list.value.scopes.includes(scope));
      return lacking.length === 0 ? fine : lacksScope(reply, `the key lacks ${lacking.join(", ")}`);
    },
  },

  residuals: [
    {
      category: "mail_events",
      days: 30,
      ground:
        "SendGrid erases mail events in its own time once it has taken the request, and keeps none beyond 30 days",
      source: "https://docs.sendgrid.com/for-developers/tracking-events/getting-started-event-webhook",
    },
  ],
  retainable: [SUPPRESSIONS],
  // The erasure API takes 100 requests a minute.
  limits: { perSecond: 1, connections: 1, account: { settings: ["apiKey", "subuser"] } },
});

type SendgridOrder = Order<typeof settings>;
const auth = ({ settings: { apiKey, subuser } }: Pick<SendgridOrder, "settings">) => ({
  ...bearer(apiKey),
  ...(subuser !== "" && { "on-behalf-of": subuser }),
});

/** A key works in its own region only. */
function under({ settings: { region } }: Pick<SendgridOrder, "settings">, path: Address): Address {
  const origin = region === "eu" ? at`https://api.eu.sendgrid.com` : at`https://api.sendgrid.com`;
  return { url: origin.url + path.url, template: origin.template + path.template };
}

/** Every event has an id; one that has none is the same if kind, message and second are. */
const idOf = ({ sg_event_id, event, sg_message_id, timestamp }: Event) =>
  sg_event_id ?? `${event}:${sg_message_id ?? ""}:${timestamp ?? ""}`;

function signalsOf({ event, email, timestamp }: Event, receivedAt: number): readonly Signal[] {
  if (email == null || !WITHDRAWALS.has(event)) return [];
  const at = timestamp == null ? receivedAt : withinSecond(timestamp);
  return [{ type: "consent_withdrawn", identity: { type: "email", value: email }, at }];
}

/** What is held under an address: mail that was sent to it and suppressions, which cannot be searched for; and contacts. */
function* heldFor(email: string, order: SendgridOrder): Steps<Answer> {
  const reply = yield postJson(under(order, at`/v3/marketing/contacts/search/emails`), auth(order), {
    emails: [email],
  });
  const contacts: string[] = [];
  // "404 when none match".
  if (reply.status !== 404) {
    const matches = read(reply, Matches);
    if (!matches.ok) return matches.problem;
    for (const { contact } of Object.values(matches.value.result)) {
      const addresses = [contact?.email, ...(contact?.alternate_emails ?? [])];
      if (contact != null && addresses.some((address) => address?.toLowerCase() === email.toLowerCase()))
        contacts.push(contact.id);
    }
  }
  return found([
    { type: "sendgrid.recipient", value: email },
    { type: "sendgrid.suppressions", value: email },
    ...contacts.map((value) => ({ type: "sendgrid.contact", value })),
  ]);
}

/** SendGrid takes the job and says no more of it: nobody can ask, so no more is claimed than that it was told. */
function* eraseRecipient(email: string, order: SendgridOrder): Steps<Answer> {
  const reply = yield postJson(under(order, at`/v3/recipients/erasejob`), auth(order), { email_addresses: [email] });
  if (reply.status === 403)
    return unforeseen(
      reply,
      "this key may not erase recipients' data: give it recipients.erasejob.create, or ask Support",
    );
  const job = read(reply, Job, [202]);
  return job.ok ? informed : job.problem;
}

/** The call takes ids or "all": an id that is empty cannot stand in an address, and "all" is never said. */
function* eraseContact(contact: string, order: SendgridOrder): Steps<Answer> {
  const reply = yield get(under(order, at`/v3/marketing/contacts/${{ contact }}`), auth(order));
  if (reply.status !== 200) return byStatus(reply, { 404: notFound });
  const job = read(yield del(under(order, at`/v3/marketing/contacts?ids=${{ contact }}`), auth(order)), Job, [202]);
  return job.ok ? accepted(job.value.job_id, 60) : job.problem;
}

function imported(reply: Reply, job: string): Answer {
  const body = read(reply, Import);
  if (!body.ok) return body.problem;
  if (body.value.status === "pending") return accepted(job, 300);
  return body.value.status === "completed" ? erased : unforeseen(reply, "SendGrid could not delete the contact");
}

const seen = (reply: Reply): Sight => {
  if (reply.status === 404) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply, "the look was refused");
};

/**
 * An address on these lists gets no mail; off them it may. Where the policy keeps the lists they stay until their day.
 * https://www.twilio.com/docs/sendgrid/api-reference/bounces-api/delete-a-bounce and its neighbours
 */
function* eraseSuppressions(email: string, order: SendgridOrder): Steps<Answer> {
  if (order.keeps.has(SUPPRESSIONS)) return retained(SUPPRESSIONS, [order.identity]);
  const preferences = yield* preferencesOf(email, order);
  if ("outcome" in preferences) return preferences;
  let removed = 0;
  for (const entry of [...listsOf(email), ...preferences.entries]) {
    const reply = yield del(under(order, entry), auth(order));
    if (reply.status === 204) removed += 1;
    else if (reply.status !== 404) return unforeseen(reply);
  }
  return removed === 0 ? notFound : erased;
}

const listsOf = (email: string): readonly Address[] => [
  at`/v3/suppression/bounces/${{ email }}`,
  at`/v3/suppression/blocks/${{ email }}`,
  at`/v3/suppression/invalid_emails/${{ email }}`,
  at`/v3/suppression/spam_reports/${{ email }}`,
];

/** The global list and the groups whose mail this address does not want. */
function* preferencesOf(
  email: string,
  order: SendgridOrder,
): Steps<{ readonly entries: readonly Address[] } | Unforeseen> {
  const entries: Address[] = [];
  const global = at`/v3/asm/suppressions/global/${{ email }}`;
  const isGlobal = read(yield get(under(order, global), auth(order)), Global);
  if (!isGlobal.ok) return isGlobal.problem;
  if (isGlobal.value.recipient_email != null) entries.push(global);
  const groups = read(yield get(under(order, at`/v3/asm/suppressions/${{ email }}`), auth(order)), Groups);
  if (!groups.ok) return groups.problem;
  for (const { id, suppressed } of groups.value.suppressions)
    if (suppressed) entries.push(at`/v3/asm/groups/${{ group: String(id) }}/suppressions/${{ email }}`);
  return { entries };
}

/** Each list answers with what it has of the address: nothing, or an entry. */
function* listsSeen(email: string, order: SendgridOrder): Steps<Sight> {
  for (const list of listsOf(email)) {
    const entries = read(yield get(under(order, list), auth(order)), z.array(z.unknown()));
    if (!entries.ok) return entries.problem;
    if (entries.value.length > 0) return "present";
  }
  const preferences = yield* preferencesOf(email, order);
  if ("outcome" in preferences) return preferences;
  return preferences.entries.length === 0 ? "absent" : "present";
}
