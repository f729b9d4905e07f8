import { z } from "zod";
import {
  type Address,
  at,
  bearer,
  byStatus,
  del,
  get,
  noCall,
  type Reply,
  read,
  readRefusal,
  unforeseen,
} from "../src/contract/call.ts";
import { fine, type Looks, lacksScope, refusedCredential, unclear } from "../src/contract/check.ts";
import { absent, defineIntegration, type Steps } from "../src/contract/integration.ts";
import { type Answer, erased, notFound, type Sight } from "../src/contract/outcome.ts";
import { optional, secret } from "../src/contract/settings.ts";
import { json } from "../src/contract/signal.ts";

/**
 * The OpenAI API stores files, vector stores, responses, conversations and chat completions for the tenant.
 * Its webhooks tell of jobs, sessions and safety cases, and of no erasure: they are verified and counted. Each object is
 * erased by its id, so the product registers it when it creates it; stored chat completions can also be found by a metadata
 * pair.
 */
const WEBHOOKS = "https://developers.openai.com/api/docs/guides/webhooks";
const DATA = "https://developers.openai.com/api/docs/guides/your-data";
const REFERENCE = "https://github.com/openai/openai-openapi";

const addresses = {
  "openai.file": (id: string) => at`https://api.openai.com/v1/files/${{ file: id }}`,
  "openai.vector_store": (id: string) => at`https://api.openai.com/v1/vector_stores/${{ vector_store: id }}`,
  "openai.response": (id: string) => at`https://api.openai.com/v1/responses/${{ response: id }}`,
  "openai.conversation": (id: string) => at`https://api.openai.com/v1/conversations/${{ conversation: id }}`,
  "openai.chat_completion": (id: string) => at`https://api.openai.com/v1/chat/completions/${{ completion: id }}`,
};
type ObjectType = keyof typeof addresses;
const isObjectType = (type: string): type is ObjectType => Object.hasOwn(addresses, type);

const Page = z.object({ data: z.array(z.object({ id: z.string() })), has_more: z.boolean().optional() });
const Deleted = z.object({ deleted: z.literal(true) });
const Refused = z.object({ error: z.object({ message: z.string() }) });

/** Thin: what happened, and to which object. */
const Event = z.object({ id: z.string().min(1), type: z.string().min(1) });

/**
 * One attempt looks at this many pages of a hundred and empties all but the last, which keeps it well below the calls that
 * a run may make; what is left is found again by the next attempt.
 */
const MAX_PAGES = 4;

export const openai = defineIntegration({
  id: "openai",
  name: "OpenAI",
  about: "Generates and stores content for the tenant.",
  origins: ["https://api.openai.com"],
  settings: {
    apiKey: secret("API key", /^sk-/),
    webhookSecret: optional(secret("Webhook signing secret, of each project and of the organization", /^whsec_/)),
  },
  identities: {
    "openai.file": "File id",
    "openai.vector_store": "Vector store id",
    "openai.response": "Stored response id",
    "openai.conversation": "Conversation id",
    "openai.chat_completion": "Stored chat completion id",
    "openai.metadata": "A metadata pair, key=value, that the product puts on stored chat completions",
  },

  hooks: {
    events: {
      source: WEBHOOKS,
      verify: { scheme: "standard-webhooks", key: "webhookSecret", withinSeconds: 300 },
      contentTypes: ["application/json"],
      // A safety case (https://developers.openai.com/api/docs/guides/safety-enforcement) is of somebody whom the delivery does
      // not name, and a warning or deactivation is no erasure.
      read: json(Event, ({ id, type }) => [{ id, name: type, signals: [] }]),
      authority: {},
      retriesForHours: 72,
      events: [
        "response.completed",
        "response.failed",
        "response.cancelled",
        "response.incomplete",
        "batch.completed",
        "batch.failed",
        "batch.cancelled",
        "batch.expired",
        "fine_tuning.job.succeeded",
        "fine_tuning.job.failed",
        "fine_tuning.job.cancelled",
        "eval.run.succeeded",
        "eval.run.failed",
        "eval.run.canceled",
        "realtime.call.incoming",
        "agent.session.created",
        "agent.session.action_required",
        "agent.session.in_progress",
        "agent.session.idle",
        "agent.session.failed",
        "safety.warning_issued",
        "safety.deactivation_issued",
      ],
    },
  },
  oauth: absent("API keys only", REFERENCE),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", REFERENCE),
    erase: {
      source: REFERENCE,
      by: [...Object.keys(addresses), "openai.metadata"],
      each: "identity",
      *run({ identity, settings }) {
        const auth = bearer(settings.apiKey);
        if (identity.type === "openai.metadata") return yield* eraseByMetadata(identity.value, auth);
        if (!isObjectType(identity.type)) return unknownType;
        if (identity.type === "openai.conversation") {
          const emptied = yield* emptyConversation(identity.value, auth);
          if (emptied !== undefined) return emptied;
        }
        return meaning(yield del(addresses[identity.type](identity.value), auth));
      },
      look: {
        afterSeconds: 5,
        *run({ identity, settings }) {
          const auth = bearer(settings.apiKey);
          if (identity.type === "openai.metadata") {
            const completions = completionsWith(identity.value);
            if (completions === undefined) return noPair;
            const found = read(yield get(completions, auth), Page);
            return found.ok ? (found.value.data.length === 0 ? "absent" : "present") : found.problem;
          }
          if (!isObjectType(identity.type)) return unknownType;
          return seen(yield get(addresses[identity.type](identity.value), auth));
        },
      },
    },
  },

  check: {
    source: REFERENCE,
    shows: "the key reads files and vector stores; whether it may delete them is not shown before it does",
    *run({ apiKey }) {
      const auth = bearer(apiKey);
      const files = yield* listed(at`https://api.openai.com/v1/files?limit=1`, "api.files.read", auth);
      if (files.finding !== "fine") return files;
      return yield* listed(at`https://api.openai.com/v1/vector_stores?limit=1`, "api.vector_stores.read", auth);
    },
  },

  residuals: [
    {
      category: "abuse_monitoring_logs",
      days: 30,
      ground: "OpenAI keeps logs of API content to detect abuse",
      source: DATA,
    },
  ],
  retainable: [],
  limits: { connections: 3 },
});

type Auth = ReturnType<typeof bearer>;

const unknownType = unforeseen(noCall, "this kind of object is not known here");
const noPair = unforeseen(noCall, "a metadata pair reads key=value; correct it where it was registered");

const seen = (reply: Reply): Sight => {
  if (reply.status === 404) return "absent";
  return reply.status === 200 ? "present" : unforeseen(reply, "the look was refused");
};

/** A 200 must say `deleted: true`; 404 is documented as "no such object", which a repeated attempt sees too. */
function meaning(reply: Reply): Answer {
  if (reply.status !== 200) return byStatus(reply, { 404: notFound });
  const deleted = read(reply, Deleted);
  return deleted.ok ? erased : deleted.problem;
}

/** A conversation's items outlive it, so they go first. Returns only what stands in the way of erasing the rest. */
function* emptyConversation(conversation: string, auth: Auth): Steps<Answer | undefined> {
  for (let page = 1; ; page++) {
    const reply = yield get(at`https://api.openai.com/v1/conversations/${{ conversation }}/items?limit=100`, auth);
    if (reply.status === 404) return undefined;
    const items = read(reply, Page);
    if (!items.ok) return items.problem;
    if (items.value.data.length === 0) return undefined;
    if (page === MAX_PAGES) return { outcome: "more" };
    for (const { id } of items.value.data) {
      const gone = yield del(
        at`https://api.openai.com/v1/conversations/${{ conversation }}/items/${{ item: id }}`,
        auth,
      );
      if (gone.status !== 200 && gone.status !== 404) return unforeseen(gone);
    }
  }
}

/** The list of stored completions with a metadata pair; `undefined` for a text that is no pair. */
function completionsWith(pair: string): Address | undefined {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(pair) ?? [];
  if (name === undefined || value === undefined) return undefined;
  const key = `metadata[${name}]`;
  return at`https://api.openai.com/v1/chat/completions?${{ key }}=${{ value }}&limit=100`;
}

function* eraseByMetadata(pair: string, auth: Auth): Steps<Answer> {
  const completions = completionsWith(pair);
  if (completions === undefined) return noPair;
  for (let page = 1; ; page++) {
    const found = read(yield get(completions, auth), Page);
    if (!found.ok) return found.problem;
    if (found.value.data.length === 0) return page > 1 ? erased : notFound;
    if (page === MAX_PAGES) return { outcome: "more" };
    for (const { id } of found.value.data) {
      const answer = meaning(yield del(addresses["openai.chat_completion"](id), auth));
      if (answer.outcome !== "erased" && answer.outcome !== "not_found") return answer;
    }
  }
}

/** A restricted key gets 401 or 403 with "Missing scopes" in the words, as seen; a key that is none, 401 with others. */
function* listed(address: Address, scope: string, auth: Auth): Looks {
  const reply = yield get(address, auth, { expects: [401] });
  const refused = readRefusal(reply, Refused);
  const isMissing = refused.ok && /missing scopes/i.test(refused.value.error.message);
  if (isMissing || reply.status === 403) return lacksScope(reply, `the key may not read here: give it ${scope}`);
  if (reply.status === 401) return refusedCredential(reply, "OpenAI refused the API key");
  const page = read(reply, Page);
  return page.ok ? fine : unclear(page.problem);
}
