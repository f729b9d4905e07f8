import { z } from "zod";
import { type Address, at, del, get, noCall, type Reply, read, readRefusal, unforeseen } from "../src/contract/call.ts";
import { fine, lacksScope, refusedCredential, unclear } from "../src/contract/check.ts";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { type Answer, erased, notFound, type Sight } from "../src/contract/outcome.ts";
import { secret } from "../src/contract/settings.ts";

/**
 * The Gemini API stores files, cached contents, file search stores with their documents, tuned models, batches and interactions
 * for the tenant.
 * It tells us nothing about people. Each object is erased by its id, so the product registers it when it creates it.
 */
const WEBHOOKS = "https://ai.google.dev/gemini-api/docs/webhooks";
const KEYS = "https://ai.google.dev/gemini-api/docs/api-key";
const REFERENCE = "https://ai.google.dev/api/files#method:-files.delete";
const MONITORING = "https://ai.google.dev/gemini-api/docs/usage-policies";

type Kind = {
  /** A name as the API gives it, or what stands in it after the kind's own word. */
  readonly name: RegExp;
  readonly address: (id: string, document: string) => Address;
  /** Deletes what it holds with it; without it a store that is not empty is refused. */
  readonly forced: boolean;
  /** 401 says that this kind does not take API keys, not that the key is bad. */
  readonly expects?: readonly number[];
};

const kinds: Readonly<Record<string, Kind>> = {
  "gemini.file": {
    name: /^(?:files\/)?([^/]+)$/,
    address: (id) => at`https://generativelanguage.googleapis.com/v1beta/files/${{ file: id }}`,
    forced: false,
  },
  "gemini.cached_content": {
    name: /^(?:cachedContents\/)?([^/]+)$/,
    address: (id) => at`https://generativelanguage.googleapis.com/v1beta/cachedContents/${{ content: id }}`,
    forced: false,
  },
  "gemini.file_search_store": {
    name: /^(?:fileSearchStores\/)?([^/]+)$/,
    address: (id) => at`https://generativelanguage.googleapis.com/v1beta/fileSearchStores/${{ store: id }}`,
    forced: true,
  },
  "gemini.document": {
    name: /^(?:fileSearchStores\/)?([^/]+)\/(?:documents\/)?([^/]+)$/,
    address: (id, document) =>
      at`https://generativelanguage.googleapis.com/v1beta/fileSearchStores/${{ store: id }}/documents/${{ document }}`,
    forced: true,
  },
  "gemini.tuned_model": {
    name: /^(?:tunedModels\/)?([^/]+)$/,
    address: (id) => at`https://generativelanguage.googleapis.com/v1beta/tunedModels/${{ model: id }}`,
    forced: false,
    // Unconfirmed: that an API key will do. The reference names an OAuth scope, Google's own SDK sends the key.
    expects: [401],
  },
  // Unconfirmed: that what was sent in a batch goes with it; the reference says that its result is of no interest any more.
  "gemini.batch": {
    name: /^(?:batches\/)?([^/]+)$/,
    address: (id) => at`https://generativelanguage.googleapis.com/v1beta/batches/${{ batch: id }}`,
    forced: false,
  },
  "gemini.interaction": {
    name: /^(?:interactions\/)?([^/]+)$/,
    address: (id) => at`https://generativelanguage.googleapis.com/v1beta/interactions/${{ interaction: id }}`,
    forced: false,
  },
};

const Empty = z.strictObject({});
const Thing = z.looseObject({});
const Refused = z.object({ error: z.object({ status: z.string(), message: z.string() }) });

export const gemini = defineIntegration({
  id: "gemini",
  name: "Gemini API",
  about: "Generates and stores content for the tenant.",
  origins: ["https://generativelanguage.googleapis.com"],
  settings: { apiKey: secret("API key", /^[\w.-]{20,}$/) },
  identities: {
    "gemini.file": "File: files/…",
    "gemini.cached_content": "Cached content: cachedContents/…",
    "gemini.file_search_store": "File search store, with all documents in it: fileSearchStores/…",
    "gemini.document": "Document of a file search store: fileSearchStores/…/documents/…",
    "gemini.tuned_model": "Model that was tuned on the person's data: tunedModels/…",
    "gemini.batch": "Batch, with what it was sent and has answered: batches/…",
    "gemini.interaction": "Stored interaction id",
  },

  hooks: absent("webhooks tell of jobs, interactions and videos, never of people", WEBHOOKS),
  oauth: absent("API keys only", KEYS),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", KEYS),
    erase: {
      source: REFERENCE,
      by: Object.keys(kinds),
      each: "identity",
      *run({ identity, settings }) {
        const found = named(identity.type, identity.value);
        if (found === undefined) return unknownName;
        const { address, forced, expects } = found;
        const whole = forced
          ? { url: `${address.url}?force=true`, template: `${address.template}?force=true` }
          : address;
        return meaning(yield del(whole, key(settings.apiKey), { expects }));
      },
      look: {
        afterSeconds: 5,
        *run({ identity, settings }) {
          const found = named(identity.type, identity.value);
          if (found === undefined) return unknownName;
          return seen(yield get(found.address, key(settings.apiKey), { expects: found.expects }));
        },
      },
    },
  },

  check: {
    source: "https://ai.google.dev/api/files#method:-files.list",
    shows: "the key reads the files of its project; a key may delete what it may read",
    *run({ apiKey }) {
      const reply = yield get(at`https://generativelanguage.googleapis.com/v1beta/files?pageSize=1`, key(apiKey));
      if (reply.status !== 200) {
        const refused = refusal(reply);
        if (refused.outcome === "unauthorized") return refusedCredential(reply, refused.what);
        return reply.status === 403 ? lacksScope(reply, "the key is not for the Gemini API") : unclear(refused);
      }
      const files = read(reply, Thing);
      return files.ok ? fine : unclear(files.problem);
    },
  },

  residuals: [
    {
      category: "abuse_monitoring_logs",
      days: 55,
      ground: "Google keeps prompts, context and output to detect abuse",
      source: MONITORING,
    },
  ],
  retainable: [],
  limits: { connections: 3 },
});

const key = (apiKey: string) => ({ "x-goog-api-key": apiKey });

const unknownName = unforeseen(noCall, "no name of this kind of object; correct it where it was registered");

function named(type: string, value: string) {
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  const [, id, document = ""] = kind?.name.exec(value) ?? [];
  return kind === undefined || id === undefined
    ? undefined
    : { address: kind.address(id, document), forced: kind.forced, expects: kind.expects ?? [] };
}

/** A deletion is answered with an empty object. */
function meaning(reply: Reply): Answer {
  if (reply.status !== 200) return missing(reply) ?? refusal(reply);
  const deleted = read(reply, Empty);
  return deleted.ok ? erased : deleted.problem;
}

function seen(reply: Reply): Sight {
  if (reply.status !== 200) return missing(reply) === undefined ? refusal(reply) : "absent";
  const thing = read(reply, Thing);
  return thing.ok ? "present" : thing.problem;
}

/**
 * What is not there is answered with 404; files and cached contents with 403 and these words, as observed. A key sees all
 * of its project, so what it may not see is not in this project.
 */
function missing(reply: Reply): Answer | undefined {
  const refused = refusedIn(reply);
  if (reply.status === 404 && refused?.status === "NOT_FOUND") return notFound;
  const words = /or it may not exist|not found \(or permission denied\)/i;
  return reply.status === 403 && refused?.status === "PERMISSION_DENIED" && words.test(refused.message)
    ? notFound
    : undefined;
}

/** A key that is not valid is answered with 400, one that was withdrawn with 403. */
function refusal(reply: Reply) {
  const refused = refusedIn(reply);
  const isKey = refused !== undefined && /api key|unregistered callers/i.test(refused.message);
  return (reply.status === 400 || reply.status === 403) && isKey
    ? ({ outcome: "unauthorized", status: reply.status, what: "Google refused the API key" } as const)
    : unforeseen(reply);
}

function refusedIn(reply: Reply): { readonly status: string; readonly message: string } | undefined {
  const refused = readRefusal(reply, Refused);
  return refused.ok ? refused.value.error : undefined;
}
