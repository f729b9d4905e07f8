import { z } from "zod";
import {
  type Address,
  at,
  byStatus,
  del,
  get,
  noCall,
  type Reply,
  read,
  readRefusal,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import { fine, lacksScope, unclear } from "../src/contract/check.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, erased, notFound, type Sight } from "../src/contract/outcome.ts";
import { dnsLabel, type Settings, secret } from "../src/contract/settings.ts";

/**
 * Azure OpenAI stores files, vector stores, responses, conversations, assistants and threads in a resource of the tenant's own.
 * It tells us nothing. Each object is erased by its id, so the product registers it when it creates it.
 */
const RESPONSES = "https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/responses";
const DATA = "https://learn.microsoft.com/en-us/legal/cognitive-services/openai/data-privacy";
const LIFECYCLE = "https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle";

const paths = {
  "azure-openai.file": (id: string) => at`/openai/v1/files/${{ file: id }}`,
  "azure-openai.vector_store": (id: string) => at`/openai/v1/vector_stores/${{ vector_store: id }}`,
  "azure-openai.response": (id: string) => at`/openai/v1/responses/${{ response: id }}`,
  "azure-openai.conversation": (id: string) => at`/openai/v1/conversations/${{ conversation: id }}`,
  "azure-openai.assistant": (id: string) => at`/openai/v1/assistants/${{ assistant: id }}`,
  "azure-openai.thread": (id: string) => at`/openai/v1/threads/${{ thread: id }}`,
};
type ObjectType = keyof typeof paths;
const isObjectType = (type: string): type is ObjectType => Object.hasOwn(paths, type);

const CONVERSATION: ObjectType = "azure-openai.conversation";

const Page = z.object({ data: z.array(z.object({ id: z.string() })) });
const Deleted = z.object({ deleted: z.literal(true) });
const Missing = z.object({ error: z.object({ message: z.string() }) });

/** As at OpenAI: pages of a hundred that one attempt looks at. */
const MAX_PAGES = 4;

const settings = {
  resource: dnsLabel("Name of the resource: what stands before .openai.azure.com"),
  apiKey: secret("Key of the resource"),
} satisfies Settings;

export const azureOpenai = defineIntegration({
  id: "azure-openai",
  name: "Azure OpenAI",
  about: "Generates and stores content in the tenant's own resource.",
  origins: ["https://{resource}.openai.azure.com"],
  settings,
  identities: {
    "azure-openai.file": "File id",
    "azure-openai.vector_store": "Vector store id",
    "azure-openai.response": "Stored response id",
    "azure-openai.conversation": "Conversation id",
    "azure-openai.assistant": "Id of an assistant that was made for a person",
    "azure-openai.thread": "Thread id",
  },

  // Unconfirmed: webhooks like OpenAI's. They too would tell of jobs and never of an erasure.
  hooks: absent("it tells nothing about people", DATA),
  oauth: absent("a key of the resource; tokens of Microsoft Entra are not used", LIFECYCLE),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", LIFECYCLE),
    erase: {
      source: RESPONSES,
      by: Object.keys(paths),
      each: "identity",
      *run(order) {
        const { type, value } = order.identity;
        if (!isObjectType(type)) return unknownType;
        if (type === CONVERSATION) {
          const emptied = yield* emptyConversation(value, order);
          if (emptied !== undefined) return emptied;
        }
        return meaning(yield del(under(order, paths[type](value)), headers(order)));
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          const { type, value } = order.identity;
          return isObjectType(type) ? seen(yield get(under(order, paths[type](value)), headers(order))) : unknownType;
        },
      },
    },
  },

  check: {
    source: LIFECYCLE,
    shows: "the key opens the resource, which is all that a key can do: it has no rights of its own",
    *run({ resource, apiKey }) {
      const path = at`/openai/v1/files`;
      const address = {
        url: `https://${resource}.openai.azure.com${path.url}`,
        template: `https://{resource}.openai.azure.com${path.template}`,
      };
      const reply = yield get(address, { "api-key": apiKey });
      if (reply.status === 403) return lacksScope(reply, "Azure refused the key, or the network that calls");
      const files = read(reply, Page);
      return files.ok ? fine : unclear(files.problem);
    },
  },

  residuals: [
    {
      category: "abuse_monitoring_logs",
      days: 30,
      ground: "Microsoft keeps prompts and completions to detect abuse, unless modified abuse monitoring was approved",
      source: DATA,
    },
  ],
  retainable: [],
  limits: { connections: 3 },
});

type AzureOrder = Order<typeof settings>;

const unknownType = unforeseen(noCall, "this kind of object is not known here");

/** The v1 API has no `api-version`. Assistants and threads are in it under OpenAI's own header, which others ignore. */
const headers = ({ identity: { type }, settings: { apiKey } }: AzureOrder) => ({
  "api-key": apiKey,
  ...((type === "azure-openai.assistant" || type === "azure-openai.thread") && { "openai-beta": "assistants=v2" }),
});

/** The resource's name is one DNS label, as its setting requires. */
function under({ settings: { resource } }: AzureOrder, { url, template }: Address): Address {
  return {
    url: `https://${resource}.openai.azure.com${url}`,
    template: `https://{resource}.openai.azure.com${template}`,
  };
}

/** 404 for what is gone has an error of the service's own; one without may be of a resource that is not there. */
const isMissing = (reply: Reply): boolean => reply.status === 404 && readRefusal(reply, Missing).ok;

const refusal = (reply: Reply) =>
  reply.status === 403
    ? unauthorized(reply, "Azure refused the key, or the network that calls, for this resource")
    : byStatus<never>(reply, {});

function meaning(reply: Reply): Answer {
  if (reply.status !== 200) return isMissing(reply) ? notFound : refusal(reply);
  const deleted = read(reply, Deleted);
  return deleted.ok ? erased : deleted.problem;
}

function seen(reply: Reply): Sight {
  if (reply.status !== 200) return isMissing(reply) ? "absent" : refusal(reply);
  return "present";
}

/** A conversation's items outlive it, so they go first. Returns only what stands in the way of erasing the rest. */
function* emptyConversation(conversation: string, order: AzureOrder): Steps<Answer | undefined> {
  for (let page = 1; ; page++) {
    const list = under(order, at`/openai/v1/conversations/${{ conversation }}/items?limit=100`);
    const reply = yield get(list, headers(order));
    if (isMissing(reply)) return undefined;
    if (reply.status !== 200) return refusal(reply);
    const items = read(reply, Page);
    if (!items.ok) return items.problem;
    if (items.value.data.length === 0) return undefined;
    if (page === MAX_PAGES) return { outcome: "more" };
    for (const { id } of items.value.data) {
      const item = under(order, at`/openai/v1/conversations/${{ conversation }}/items/${{ item: id }}`);
      const gone = yield del(item, headers(order));
      if (gone.status !== 200 && !isMissing(gone)) return refusal(gone);
    }
  }
}
