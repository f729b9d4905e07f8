import { z } from "zod";
import {
  type Address,
  at,
  del,
  get,
  noCall,
  type Reply,
  read,
  readRefusal,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import { fine, type Looks, lacksScope, refusedCredential, unclear } from "../src/contract/check.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, erased, found, notFound, type Sight } from "../src/contract/outcome.ts";
import { optional, type Settings, secret, text } from "../src/contract/settings.ts";
import { json, UnixSeconds, withinSecond } from "../src/contract/signal.ts";

/**
 * ElevenLabs makes and keeps speech for the tenant: voices, what was said with them, calls of agents, dubbings, transcripts.
 * It tells us when a shared voice was removed. Each object is erased by its id, so the product registers it when it creates
 * it; calls are also found by the user id that the product gave them.
 */
const WEBHOOKS = "https://elevenlabs.io/docs/eleven-api/resources/webhooks";
const KEYS = "https://elevenlabs.io/docs/api-reference/authentication";
const DELETE = "https://elevenlabs.io/docs/api-reference/history/delete";

const USER = "elevenlabs.user";
const CONVERSATION = "elevenlabs.conversation";

/** Where each kind stands, and whether its deletion is described to answer `status: "ok"`; of the others no body is. */
const kinds: Readonly<Record<string, { readonly path: (id: string) => Address; readonly saysOk: boolean }>> = {
  "elevenlabs.voice": { path: (id) => at`/v1/voices/${{ voice: id }}`, saysOk: true },
  "elevenlabs.history_item": { path: (id) => at`/v1/history/${{ item: id }}`, saysOk: true },
  [CONVERSATION]: { path: (id) => at`/v1/convai/conversations/${{ conversation: id }}`, saysOk: false },
  "elevenlabs.knowledge_document": { path: (id) => at`/v1/convai/knowledge-base/${{ document: id }}`, saysOk: false },
  "elevenlabs.transcript": { path: (id) => at`/v1/speech-to-text/transcripts/${{ transcript: id }}`, saysOk: false },
  "elevenlabs.dubbing": { path: (id) => at`/v1/dubbing/${{ dubbing: id }}`, saysOk: true },
  "elevenlabs.studio_project": { path: (id) => at`/v1/studio/projects/${{ project: id }}`, saysOk: true },
};

const Ok = z.object({ status: z.literal("ok") });
const Missing = z.object({
  detail: z.union([
    z.object({ type: z.literal("not_found") }),
    z.object({ status: z.string().regex(/not_found$/) }),
    z.object({ code: z.string().regex(/not_found$/) }),
    z.literal("Not Found").transform(() => undefined),
  ]),
});
const Lacking = z.object({ detail: z.object({ status: z.literal("missing_permissions") }) });
const List = z.looseObject({ has_more: z.boolean() });
const Conversations = z.object({
  conversations: z.array(z.object({ conversation_id: z.string().min(1) })),
  next_cursor: z.string().nullish(),
  has_more: z.boolean(),
});

/** What one attempt lists; a person with more than two thousand calls is left to a person. */
const MOST_PAGES = 20;

const About = z.string().min(1).optional().catch(undefined);

/**
 * Unconfirmed: the members of `data` in the voices' events. `voice_id` is what the API calls it everywhere; without one
 * nobody knows which voice it was, and the event is counted.
 */
const Event = z.object({
  type: z.string().min(1),
  event_timestamp: UnixSeconds,
  data: z.object({ voice_id: About, conversation_id: About, request_id: About }).nullish().catch(undefined),
});

const settings = {
  apiKey: secret("API key"),
  residency: text("Data residency of the workspace: GLOBAL, US, EU or IN", /^(GLOBAL|US|EU|IN)$/),
  webhookSecret: optional(secret("Webhook secret")),
} satisfies Settings;

export const elevenlabs = defineIntegration({
  id: "elevenlabs",
  name: "ElevenLabs",
  about: "Makes and keeps speech for the tenant.",
  origins: [
    "https://api.elevenlabs.io",
    "https://api.us.elevenlabs.io",
    "https://api.eu.residency.elevenlabs.io",
    "https://api.in.residency.elevenlabs.io",
  ],
  settings,
  identities: {
    "elevenlabs.voice": "Voice id, with its samples",
    "elevenlabs.history_item": "History item id, of what was generated",
    [CONVERSATION]: "Conversation id, of an agent's call",
    "elevenlabs.knowledge_document": "Knowledge base document id",
    "elevenlabs.transcript": "Speech-to-text transcription id",
    "elevenlabs.dubbing": "Dubbing project id",
    "elevenlabs.studio_project": "Studio project id",
    [USER]: "The user id that the product gives an agent's calls",
  },

  hooks: {
    webhooks: {
      source: WEBHOOKS,
      verify: {
        scheme: "hmac",
        key: "webhookSecret",
        hash: "SHA-256",
        // Here `v0` is the live scheme. https://github.com/elevenlabs/elevenlabs-js/blob/main/src/wrapper/webhooks.ts
        signature: { header: "elevenlabs-signature", encoding: "hex", items: { separator: ",", name: "v0" } },
        over: [{ item: "t" }, { text: "." }, "body"],
        fresh: { at: { item: "t" }, unit: "seconds", withinSeconds: 1800 },
      },
      contentTypes: ["application/json"],
      read: json(Event, ({ type, event_timestamp, data }) => {
        const voice = type === "voice_removed" ? data?.voice_id : undefined;
        // There is no event id: of one kind, about one thing, at one second is the same event.
        const about = data?.voice_id ?? data?.conversation_id ?? data?.request_id ?? "";
        const identity = { type: "elevenlabs.voice", value: voice ?? "" };
        const at = withinSecond(event_timestamp);
        return [
          {
            id: `${type}:${about}:${event_timestamp}`,
            name: type,
            signals: voice === undefined ? [] : [{ type: "content_deleted", identity, at }],
          },
        ];
      }),
      authority: { content_deleted: "record" },
      answer: 200,
      // Off unless it was switched on for the webhook, and then not stated.
      retriesForHours: "unknown",
      events: [
        "voice_removal_notice",
        "voice_removal_notice_withdrawn",
        "voice_removed",
        "post_call_transcription",
        "call_initiation_failure",
        "speech_to_text_transcription",
      ],
    },
  },

  oauth: absent("API keys only", KEYS),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", KEYS),
    erase: {
      source: DELETE,
      by: [...Object.keys(kinds), USER],
      each: "identity",
      learns: [CONVERSATION],
      *run(order) {
        if (order.identity.type === USER) return yield* conversationsOf(order);
        const target = targetOf(order);
        return target === undefined ? unknownType : meaning(yield del(target.address, key(order)), target.saysOk);
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          if (order.identity.type === USER) {
            const left = yield* conversationsOf(order);
            if (left.outcome === "unforeseen" || left.outcome === "unauthorized") return left;
            return left.outcome === "not_found" ? "absent" : "present";
          }
          const target = targetOf(order);
          return target === undefined ? unknownType : seen(yield get(target.address, key(order)));
        },
      },
    },
  },

  // Neither how long backups live nor what is kept to detect abuse is stated.

  check: {
    source: KEYS,
    shows: "the key reads voices and agents' calls; the rights to delete are not shown before they are used",
    *run(settings) {
      const voices = yield* mayRead(at`/v2/voices?page_size=1`, "voices_read", settings);
      if (voices.finding !== "fine") return voices;
      return yield* mayRead(at`/v1/convai/conversations?page_size=1`, "convai_read", settings);
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 3 },
});

type ElevenlabsOrder = Order<typeof settings>;

const unknownType = unforeseen(noCall, "this kind of object is not known here");

const key = ({ settings: { apiKey } }: ElevenlabsOrder) => ({ "xi-api-key": apiKey });

/** A workspace with data residency lives at a host of its own, and nowhere else. */
function under({ settings: { residency } }: Pick<ElevenlabsOrder, "settings">, { url, template }: Address): Address {
  const hosts: Readonly<Record<string, string>> = {
    US: "https://api.us.elevenlabs.io",
    EU: "https://api.eu.residency.elevenlabs.io",
    IN: "https://api.in.residency.elevenlabs.io",
  };
  const origin = hosts[residency] ?? "https://api.elevenlabs.io";
  return { url: origin + url, template: origin + template };
}

function targetOf(order: ElevenlabsOrder): { readonly address: Address; readonly saysOk: boolean } | undefined {
  const { type, value } = order.identity;
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  return kind === undefined ? undefined : { address: under(order, kind.path(value)), saysOk: kind.saysOk };
}

function meaning(reply: Reply, saysOk: boolean): Answer {
  if (isMissing(reply)) return notFound;
  // The SDK takes any 2xx; 200 and 204 are what can be meant where no body is described.
  if (!saysOk && (reply.status === 200 || reply.status === 204)) return erased;
  if (reply.status !== 200) return refusal(reply);
  const ok = read(reply, Ok);
  return ok.ok ? erased : ok.problem;
}

function seen(reply: Reply): Sight {
  if (isMissing(reply)) return "absent";
  return reply.status === 200 ? "present" : refusal(reply);
}

/**
 * Unconfirmed: the body for what is not there. 404 is described for transcripts only; older answers are 400 with a `status`
 * such as `voice_not_found`. The words have to say so in either case: a bare 404 may be anybody's.
 */
const isMissing = (reply: Reply): boolean =>
  (reply.status === 404 || reply.status === 400) && readRefusal(reply, Missing).ok;

const refusal = (reply: Reply) =>
  reply.status === 403 ? unauthorized(reply, "ElevenLabs says that this key may not do this") : unforeseen(reply);

function* conversationsOf(order: ElevenlabsOrder): Steps<Exclude<Answer, { outcome: "more" }>> {
  const all: string[] = [];
  let next: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const user = order.identity.value;
    const list: Address =
      next === undefined
        ? at`/v1/convai/conversations?user_id=${{ user }}&page_size=100`
        : at`/v1/convai/conversations?user_id=${{ user }}&page_size=100&cursor=${{ cursor: next }}`;
    const reply = yield get(under(order, list), key(order));
    if (reply.status === 403) return refusal(reply);
    const some = read(reply, Conversations);
    if (!some.ok) return some.problem;
    all.push(...some.value.conversations.map(({ conversation_id }) => conversation_id));
    if (!some.value.has_more) return found(all.map((value) => ({ type: CONVERSATION, value })));
    if (some.value.next_cursor == null) return unforeseen(reply, "the list has more, and does not say where");
    next = some.value.next_cursor;
  }
  return unforeseen({ status: 200 }, `this user has more than ${MOST_PAGES * 100} conversations`);
}

/** A restricted key gets 401 with `missing_permissions`, as seen; 403 is taken for the same. */
function* mayRead(path: Address, right: string, settings: ElevenlabsOrder["settings"]): Looks {
  const reply = yield get(under({ settings }, path), { "xi-api-key": settings.apiKey }, { expects: [401] });
  if (readRefusal(reply, Lacking).ok || reply.status === 403) return lacksScope(reply, `the key lacks ${right}`);
  if (reply.status === 401) return refusedCredential(reply, "ElevenLabs refused the API key");
  const list = read(reply, List);
  return list.ok ? fine : unclear(list.problem);
}
