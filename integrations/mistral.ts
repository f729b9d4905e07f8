import { z } from "zod";
import {
  type Address,
  at,
  bearer,
  del,
  get,
  noCall,
  type Reply,
  read,
  readRefusal,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import { readable } from "../src/contract/check.ts";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { type Answer, erased, notFound, type Sight } from "../src/contract/outcome.ts";
import { secret } from "../src/contract/settings.ts";

/**
 * Mistral generates content for the tenant and stores conversations, files, batch jobs, libraries with their documents, agents
 * and voices. It tells us nothing. Each object is erased by its id, so the product registers it when it creates it.
 */
const REFERENCE = "https://docs.mistral.ai/api";
const ERRORS = "https://docs.mistral.ai/resources/error-glossary";
const RETENTION = "https://docs.mistral.ai/admin/monitor-comply/zero-data-retention";

type Kind = {
  /** One id, or that of the object around it and its own. */
  readonly name: RegExp;
  readonly address: (id: string, inner: string) => Address;
  /** The body of a 200; without one only 204, which has none, is described. */
  readonly body?: z.ZodType;
  /** 204 is described too, or announced. */
  readonly empty: boolean;
};
const ONE = /^([^/]+)$/;
const TWO = /^([^/]+)\/([^/]+)$/;
const Deleted = z.object({ id: z.string(), deleted: z.literal(true) });
const WithId = z.object({ id: z.string() });
const Listed = z.object({ data: z.array(WithId) });

const kinds: Readonly<Record<string, Kind>> = {
  "mistral.conversation": {
    name: ONE,
    address: (id) => at`https://api.mistral.ai/v1/conversations/${{ conversation: id }}`,
    empty: true,
  },
  "mistral.file": {
    name: ONE,
    address: (id) => at`https://api.mistral.ai/v1/files/${{ file: id }}`,
    body: Deleted,
    empty: false,
  },
  "mistral.batch_job": {
    name: ONE,
    address: (id) => at`https://api.mistral.ai/v1/batch/jobs/${{ job: id }}`,
    // `deleted` may be left out, and is then true.
    body: z.object({ id: z.string(), deleted: z.literal(true).optional(), object: z.literal("batch").optional() }),
    empty: false,
  },
  "mistral.library": {
    name: ONE,
    address: (id) => at`https://api.mistral.ai/v1/libraries/${{ library: id }}`,
    // The library that was deleted, until 204 is "the only response in a future version".
    body: WithId,
    empty: true,
  },
  "mistral.document": {
    name: TWO,
    address: (id, inner) => at`https://api.mistral.ai/v1/libraries/${{ library: id }}/documents/${{ document: inner }}`,
    empty: true,
  },
  "mistral.agent": {
    name: ONE,
    address: (id) => at`https://api.mistral.ai/v1/agents/${{ agent: id }}`,
    empty: true,
  },
  "mistral.voice": {
    name: ONE,
    address: (id) => at`https://api.mistral.ai/v1/audio/voices/${{ voice: id }}`,
    // The voice that was deleted.
    body: WithId,
    empty: false,
  },
};

const Refusal = z.looseObject({});

export const mistral = defineIntegration({
  id: "mistral",
  name: "Mistral AI",
  about: "Generates and stores content for the tenant.",
  origins: ["https://api.mistral.ai"],
  settings: { apiKey: secret("API key of the workspace") },
  identities: {
    "mistral.conversation": "Conversation id",
    "mistral.file": "File id",
    "mistral.batch_job": "Batch job id",
    "mistral.library": "Library id, with all its documents",
    "mistral.document": "Document of a library: library id/document id",
    "mistral.agent": "Agent id, of one that was made for a person",
    "mistral.voice": "Id of a custom voice",
  },

  hooks: absent("it has no webhooks", REFERENCE),
  oauth: absent("API keys only", REFERENCE),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", REFERENCE),
    erase: {
      source: REFERENCE,
      by: Object.keys(kinds),
      each: "identity",
      *run({ identity, settings }) {
        const target = targetOf(identity.type, identity.value);
        if (target === undefined) return unknownName;
        return meaning(yield del(target.address, bearer(settings.apiKey)), target);
      },
      look: {
        // Deleting a batch job is only a request.
        afterSeconds: 30,
        *run({ identity, settings }) {
          const target = targetOf(identity.type, identity.value);
          return target === undefined ? unknownName : seen(yield get(target.address, bearer(settings.apiKey)), target);
        },
      },
    },
  },

  check: {
    source: REFERENCE,
    shows: "the key is of a workspace and reads its files; whether it may delete them is not shown before it does",
    *run({ apiKey }) {
      const reply = yield get(at`https://api.mistral.ai/v1/files?page_size=1`, bearer(apiKey));
      return readable(reply, Listed, "this key may not read the files of its workspace");
    },
  },

  residuals: [
    {
      category: "abuse_monitoring_logs",
      days: 30,
      ground:
        "Mistral keeps API input and output for 30 rolling days to detect abuse, unless zero data retention was agreed",
      source: RETENTION,
    },
  ],
  retainable: [],
  limits: { connections: 3 },
});

type Target = { readonly id: string; readonly address: Address; readonly kind: Kind };

const unknownName = unforeseen(noCall, "no name of this kind of object; correct it where it was registered");

function targetOf(type: string, value: string): Target | undefined {
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  const [, id, inner = ""] = kind?.name.exec(value) ?? [];
  return kind === undefined || id === undefined
    ? undefined
    : { id: inner === "" ? id : inner, address: kind.address(id, inner), kind };
}

function meaning(reply: Reply, { id, kind }: Target): Answer {
  if (reply.status === 204 && kind.empty) return erased;
  if (reply.status !== 200 || kind.body === undefined) return isMissing(reply) ? notFound : refusal(reply);
  const deleted = read(reply, kind.body);
  if (!deleted.ok) return deleted.problem;
  return isOf(id, deleted.value) ? erased : unforeseen(reply, "the answer is about something else");
}

function seen(reply: Reply, { id }: Target): Sight {
  if (reply.status !== 200) return isMissing(reply) ? "absent" : refusal(reply);
  const thing = read(reply, WithId);
  if (!thing.ok) return thing.problem;
  return isOf(id, thing.value) ? "present" : unforeseen(reply, "the look found something else");
}

const isOf = (id: string, body: unknown): boolean => WithId.safeParse(body).data?.id.toLowerCase() === id.toLowerCase();

/**
 * "The requested resource does not exist", as when "referencing a deleted file, job, or conversation" (ERRORS).
 * Unconfirmed: its body. Some JSON is asked for, so that a stranger's 404 on the way does not count.
 */
const isMissing = (reply: Reply): boolean => reply.status === 404 && readRefusal(reply, Refusal).ok;

const refusal = (reply: Reply) =>
  reply.status === 403
    ? unauthorized(reply, `Mistral says that this key may not do this (see ${ERRORS})`)
    : unforeseen(reply);
