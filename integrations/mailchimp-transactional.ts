import { z } from "zod";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { optional, secret } from "../src/contract/settings.ts";
import { parse, type Read, type Signal, UnixSeconds, unreadable, withinSecond } from "../src/contract/signal.ts";

/**
 * Mailchimp Transactional, once Mandrill, sends the tenant's single mails: receipts, passwords, notices.
 * It tells us when a person does not want mail any more. It has no API that erases what it holds of a recipient.
 */
const SIGNATURE = "https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/";
const REFERENCE = "https://mailchimp.com/developer/transactional/api/";
const HEAD = "https://mandrill.zendesk.com/hc/en-us/articles/360038740014";

/** A mail's events, or a change of the list of those who are not written to. */
const Event = z.object({
  event: z.string().min(1).nullish(),
  type: z.string().min(1).nullish(),
  action: z.string().nullish(),
  /** The mail's: all of its events have the same. */
  _id: z.string().min(1).nullish(),
  ts: UnixSeconds.nullish(),
  msg: z.object({ email: z.string().min(1).nullish() }).nullish(),
});
type Event = z.infer<typeof Event>;

/** Everybody knows it: Mandrill signs an empty list with it where it finds nobody by HEAD. */
const NOT_THE_TEST_KEY = /^(?!test-webhook$)/;

const WITHDRAWALS: ReadonlySet<string> = new Set(["unsub", "spam"]);

export const mailchimpTransactional = defineIntegration({
  id: "mailchimp-transactional",
  name: "Mailchimp Transactional",
  about: "Sends single mails to people (Mandrill).",
  origins: [],
  // The key comes into being with the webhook, and the webhook only when the address has answered.
  settings: { webhookKey: optional(secret("Key of the webhook, as Settings, Webhooks shows it", NOT_THE_TEST_KEY)) },
  identities: {},

  hooks: {
    events: {
      source: SIGNATURE,
      verify: {
        scheme: "hmac",
        key: "webhookKey",
        hash: "SHA-1",
        signature: { header: "x-mandrill-signature", encoding: "base64" },
        over: ["url", "form"],
      },
      contentTypes: ["application/x-www-form-urlencoded"],
      read: events,
      authority: { consent_withdrawn: "record" },
      // Where a HEAD gets no 200 it sends an empty list signed with a key that everybody knows; ours does, so that is refused.
      challenges: [{ ask: "presence", method: "HEAD", source: HEAD }],
      answer: 200,
      retriesForHours: "unknown",
      events: ["unsub", "spam", "hard_bounce", "reject"],
    },
  },

  oauth: absent("API keys only", REFERENCE),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", REFERENCE),
    erase: absent(
      "no API erases what is held of a recipient",
      REFERENCE,
      "Ask Mailchimp's support to erase this address from Mailchimp Transactional. Take it off the rejection denylist and the " +
        "allowlist (Settings) unless it must stay there so that nothing is sent to it.",
    ),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});

/** The form has one field that matters, and it holds a JSON array. */
function events(proven: Parameters<Read>[0]): ReturnType<Read> {
  const text = new URLSearchParams(proven.text).get("mandrill_events");
  if (text === null) return unreadable("mandrill_events");
  const batch = parse(z.array(Event), text);
  if (!batch.ok) return batch;
  const read = batch.value.map((event) => ({
    id: idOf(event),
    name: nameOf(event),
    signals: signalsOf(event, proven.receivedAt),
  }));
  return { ok: true, value: read };
}

const nameOf = ({ event, type, action }: Event): string => event ?? [type ?? "unnamed", action ?? ""].join("/");

const idOf = (event: Event): string => `${nameOf(event)}:${event._id ?? ""}:${event.ts ?? ""}`;

function signalsOf({ event, ts, msg }: Event, receivedAt: number): readonly Signal[] {
  if (event == null || !WITHDRAWALS.has(event) || msg?.email == null) return [];
  const at = ts == null ? receivedAt : withinSecond(ts);
  return [{ type: "consent_withdrawn", identity: { type: "email", value: msg.email }, at }];
}
