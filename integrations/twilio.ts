import { z } from "zod";
import { type Address, at, del, get, noCall, type Reply, read, readRefusal, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, accepted, erased, notFound, type Sight } from "../src/contract/outcome.ts";
import { type Settings, secret, text } from "../src/contract/settings.ts";
import { form } from "../src/contract/signal.ts";

/**
 * Twilio carries the tenant's messages and calls. It tells us when a customer removes the tenant's Connect App; nothing of
 * the people whose numbers it handles. It erases no person: what there is of a number is found and deleted one by one.
 */
const CONNECT = "https://www.twilio.com/docs/iam/connect-apps/api";

const Sid = (prefix: string) => z.string().regex(new RegExp(`^${prefix}[0-9a-fA-F]{32}$`));
const never = z.never().optional();

/**
 * Unconfirmed: which fields come. Every callback of Twilio's has the account, so those of a message or a call, which the same
 * token signs, are refused by what else they have; and the signature covers this address.
 */
const Deauthorized = z.object({
  AccountSid: Sid("AC"),
  ConnectAppSid: Sid("CN").optional(),
  MessageSid: never,
  SmsSid: never,
  CallSid: never,
});

const MESSAGE = "https://www.twilio.com/docs/messaging/api/message-resource#delete-a-message-resource";
const PII = "https://www.twilio.com/docs/glossary/what-is-personally-identifiable-information-pii";

const PAGE = "100";
/** What one attempt deletes at most, so that it ends within its time. */
const MOST_DELETED = 50;
/** "Wait several minutes"; in rare cases it takes 14 days. */
const UNFINISHED_SECONDS = 3600;

const Sids = z.array(z.object({ sid: z.string().min(1) }));
const Lists = {
  Messages: z.object({ messages: Sids }).transform(({ messages }) => messages),
  Calls: z.object({ calls: Sids }).transform(({ calls }) => calls),
};
const Recordings = z.object({ recordings: Sids, next_page_uri: z.string().nullish() });

/** "Cannot delete this resource before it is complete." https://www.twilio.com/docs/api/errors/20009 */
const Unfinished = z.object({ code: z.literal(20009) });

const settings = {
  accountSid: text("Account SID", /^AC[0-9a-fA-F]{32}$/),
  authToken: secret("Auth token of the account, which may own a Connect App", /^[0-9a-f]{32}$/),
} satisfies Settings;

export const twilio = defineIntegration({
  id: "twilio",
  name: "Twilio",
  about: "Messages and calls.",
  origins: ["https://api.twilio.com"],
  settings,
  identities: { "twilio.account": "Account id of a customer (`AC…`)" },

  hooks: {
    "connect-deauthorize": {
      source: CONNECT,
      verify: {
        scheme: "hmac",
        hash: "SHA-1",
        key: "authToken",
        signature: { header: "x-twilio-signature", encoding: "base64" },
        over: ["url", "form"],
      },
      contentTypes: ["application/x-www-form-urlencoded"],
      read: form(Deauthorized, ({ AccountSid: value }, { receivedAt: at }) => [
        {
          // Neither id nor time is sent: the same account on the same day is the same, and may come and go again later.
          id: `deauthorize:${value}:${new Date(at).toISOString().slice(0, 10)}`,
          name: "deauthorize",
          signals: [{ type: "deauthorized", identity: { type: "twilio.account", value }, at }],
        },
      ]),
      authority: { deauthorized: "here" },
      answer: 200,
      retriesForHours: "unknown",
      events: ["deauthorize"],
    },
  },

  oauth: absent("Connect is Twilio's own way, and not yet connected by Quittance", CONNECT),

  actions: {
    erase: {
      source: MESSAGE,
      by: ["phone"],
      each: "identity",
      *run(order) {
        const swept = yield* sweep(order);
        return "deleted" in swept ? ending(swept) : swept;
      },
      /** What was unfinished is tried again, with all else that has come to it. */
      *check(before, order) {
        const swept = yield* sweep(order);
        if (!("deleted" in swept)) return swept;
        return ending({ ...swept, deleted: swept.deleted + (before === SOME ? 1 : 0) });
      },
      look: { afterSeconds: 300, run: anythingLeft },
    },
    revoke: absent(
      "Twilio offers no API by which an app gives up a customer's account; the customer removes it",
      CONNECT,
    ),
  },

  residuals: [
    {
      category: "message_bodies",
      days: 30,
      ground: "backups keep the text of deleted messages for up to 30 days",
      source: MESSAGE,
    },
    {
      category: "recording_metadata",
      days: 40,
      ground: "what is recorded about a deleted recording is kept for 40 days",
      source: "https://www.twilio.com/docs/voice/api/recording",
    },
    {
      category: "numbers",
      // At least 120 days after they were made, and up to 30 until they are gone from everywhere.
      days: 150,
      ground: "numbers that were called or written to stay in Twilio's own systems (PII MTL: 120 days)",
      source: PII,
    },
  ],
  retainable: [],
  // No rate is documented; a number of calls at once is, by account.
  limits: { perSecond: 10, connections: 1, account: { settings: ["accountSid"] } },
});

type TwilioOrder = Order<typeof settings>;
type Kind = keyof typeof Lists;
const KINDS: readonly Kind[] = ["Messages", "Calls"];
const DIRECTIONS = ["To", "From"] as const;

const auth = ({ settings: { accountSid, authToken } }: TwilioOrder) => ({
  authorization: `Basic ${btoa(`${accountSid}:${authToken}`)}`,
});
const under = ({ settings }: TwilioOrder, { url, template }: Address): Address => {
  const account = at`https://api.twilio.com/2010-04-01/Accounts/${{ account: settings.accountSid }}`;
  return { url: account.url + url, template: account.template + template };
};

/** Where something of the number may be: as sender and as recipient, and in WhatsApp too, under an address of its own. */
function listsOf(order: TwilioOrder): readonly { readonly kind: Kind; readonly at: Address }[] {
  const { value } = order.identity;
  return KINDS.flatMap((kind) =>
    (kind === "Calls" ? [value] : [value, `whatsapp:${value}`]).flatMap((number) =>
      DIRECTIONS.map((direction) => ({
        kind,
        at: under(order, at`/${{ kind }}.json?${{ direction }}=${{ number }}&PageSize=${{ size: PAGE }}`),
      })),
    ),
  );
}

/** What an attempt came to: what was deleted, and what was not because it is not finished yet. */
type Swept = { readonly deleted: number; readonly unfinished: number };

const SOME = "some";

function ending({ deleted, unfinished }: Swept): Answer {
  if (unfinished > 0) return accepted(deleted > 0 ? SOME : "none", UNFINISHED_SECONDS);
  return deleted > 0 ? erased : notFound;
}

/** Deletes what the lists show, until they show nothing else. */
function* sweep(order: TwilioOrder): Steps<Swept | Answer> {
  if (!/^\+[1-9]\d{4,14}$/.test(order.identity.value))
    return unforeseen(
      noCall,
      "Twilio looks for numbers as +15550100, with the country; correct it where it was registered",
    );
  // What was deleted may be listed for a while.
  const tried = new Set<string>();
  let deleted = 0;
  let unfinished = 0;
  for (const { kind, at: list } of listsOf(order))
    for (;;) {
      const listed = read(yield get(list, auth(order)), Lists[kind]);
      if (!listed.ok) return listed.problem;
      const left = listed.value.filter(({ sid }) => !tried.has(sid));
      if (left.length === 0) break;
      for (const { sid } of left) {
        // There is this one at least, so the next attempt will find and delete something too.
        if (deleted >= MOST_DELETED) return { outcome: "more" };
        const answer = yield* kind === "Calls" ? eraseCall(sid, order) : eraseAt(messageAt(sid, order), order);
        tried.add(sid);
        if (answer === "gone") deleted++;
        else if (answer === "unfinished") unfinished++;
        else return answer;
      }
    }
  return { deleted, unfinished };
}

const messageAt = (sid: string, order: TwilioOrder) => under(order, at`/Messages/${{ message: sid }}.json`);

/** Recordings outlive their call, so they go first. A message's media go with it. */
function* eraseCall(call: string, order: TwilioOrder): Steps<"gone" | "unfinished" | Answer> {
  const list = under(order, at`/Calls/${{ call }}/Recordings.json?PageSize=${{ size: PAGE }}`);
  const listed = read(yield get(list, auth(order)), Recordings);
  if (!listed.ok) return listed.problem;
  for (const { sid } of listed.value.recordings) {
    const answer = yield* eraseAt(under(order, at`/Recordings/${{ recording: sid }}.json`), order);
    if (answer !== "gone") return answer;
  }
  if (listed.value.next_page_uri != null) return { outcome: "more" };
  return yield* eraseAt(under(order, at`/Calls/${{ call }}.json`), order);
}

/** 404 means that somebody else was quicker. */
function* eraseAt(address: Address, order: TwilioOrder): Steps<"gone" | "unfinished" | Answer> {
  const reply: Reply = yield del(address, auth(order));
  if (reply.status === 204 || reply.status === 404) return "gone";
  return readRefusal(reply, Unfinished).ok ? "unfinished" : unforeseen(reply);
}

function* anythingLeft(order: TwilioOrder): Steps<Sight> {
  for (const { kind, at: list } of listsOf(order)) {
    const listed = read(yield get(list, auth(order)), Lists[kind]);
    if (!listed.ok) return listed.problem;
    if (listed.value.length > 0) return "present";
  }
  return "absent";
}
