import { z } from "zod";
import {
  type Address,
  at,
  cameToNothing,
  del,
  get,
  noCall,
  type Reply,
  read,
  unforeseen,
} from "../src/contract/call.ts";
import { absent, defineIntegration, type Order } from "../src/contract/integration.ts";
import { type Answer, accepted, erased, notFound, type Sight } from "../src/contract/outcome.ts";
import type { Settings } from "../src/contract/settings.ts";
import {
  authorised,
  refusal,
  refusalIn,
  SERVICE_ACCOUNT,
  serviceAccountKey,
  TOKEN_ORIGIN,
} from "./houses/google-cloud.ts";

/**
 * Google Cloud AI, that is Vertex AI: it keeps agents' sessions and memories, retrieval files, caches, data sets, tuned models and
 * batches for the tenant. Each is erased by its name, so the product registers it when it creates it.
 */
const REFERENCE = "https://docs.cloud.google.com/gemini-enterprise-agent-platform/reference/rest";
const RETENTION = "https://docs.cloud.google.com/gemini-enterprise-agent-platform/resources/zero-data-retention";
const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const NEEDS = "to read and delete it (Vertex AI User)";

/** Each region has a host of its own. https://docs.cloud.google.com/vertex-ai/docs/general/locations */
const REGIONS = [
  ...["us-central1", "us-east1", "us-east4", "us-east5", "us-south1", "us-west1", "us-west2", "us-west3", "us-west4"],
  ...["northamerica-northeast1", "northamerica-northeast2", "southamerica-east1", "southamerica-west1"],
  ...["europe-central2", "europe-north1", "europe-southwest1", "europe-west1", "europe-west2", "europe-west3"],
  ...["europe-west4", "europe-west6", "europe-west8", "europe-west9", "europe-west12"],
  ...["asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3", "asia-south1"],
  ...["asia-southeast1", "asia-southeast2", "australia-southeast1", "australia-southeast2"],
  ...["me-central1", "me-central2", "me-west1", "africa-south1"],
] as const;
const originIn = (region: string) => `https://${region}-aiplatform.googleapis.com`;

/** What stands in a name after `projects/…/locations/…/`, each with an id of its own. */
type Kind = { readonly parts: readonly string[]; readonly what: string; readonly forced?: true };

const kinds: Readonly<Record<string, Kind>> = {
  "google-ai.session": { parts: ["reasoningEngines", "sessions"], what: "Session of an agent" },
  "google-ai.memory": { parts: ["reasoningEngines", "memories"], what: "Memory of an agent" },
  "google-ai.rag_file": { parts: ["ragCorpora", "ragFiles"], what: "File of a retrieval corpus" },
  // With the files in it; otherwise one that is not empty is refused.
  "google-ai.rag_corpus": { parts: ["ragCorpora"], what: "Retrieval corpus, with all its files", forced: true },
  "google-ai.cached_content": { parts: ["cachedContents"], what: "Cached content" },
  "google-ai.dataset": { parts: ["datasets"], what: "Managed data set" },
  "google-ai.model": { parts: ["models"], what: "Model that was tuned on the person's data" },
  "google-ai.batch": { parts: ["batchPredictionJobs"], what: "Batch prediction job" },
};

/** Most deletions are answered with an operation; a cached content's with nothing, which is an empty object. */
const Operation = z.object({
  name: z.string().min(1),
  done: z.boolean().optional(),
  error: z.object({ code: z.number().optional() }).optional(),
});
const Deletion = z.union([Operation, z.strictObject({})]);
const Thing = z.looseObject({});

const ASK_AFTER_SECONDS = 15;

const settings = { serviceAccountKey } satisfies Settings;

export const googleAi = defineIntegration({
  id: "google-ai",
  name: "Google Cloud AI",
  about: "Generates content and keeps an agent's sessions and memories for the tenant (Vertex AI).",
  origins: [...REGIONS.map(originIn), "https://aiplatform.googleapis.com", TOKEN_ORIGIN],
  settings,
  identities: Object.fromEntries(
    Object.entries(kinds).map(([type, { parts, what }]) => [
      type,
      `${what}: projects/…/locations/…/${parts.map((part) => `${part}/…`).join("/")}`,
    ]),
  ),

  hooks: absent("it reports nothing about people", REFERENCE),
  oauth: absent("service accounts only; no person grants anything", SERVICE_ACCOUNT),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", SERVICE_ACCOUNT),
    erase: {
      source: REFERENCE,
      by: Object.keys(kinds),
      each: "identity",
      *run(order) {
        const thing = thingOf(order);
        if (thing === undefined) return unknownName;
        const access = yield* authorised(order.settings.serviceAccountKey, SCOPE);
        if ("outcome" in access) return access;
        return deletion(yield del(thing.forced ? forced(thing.address) : thing.address, access.headers));
      },
      *check(operation, order) {
        const address = addressOf(operation);
        if (address === undefined) return cameToNothing("an operation of no known place; retry deletes anew");
        const access = yield* authorised(order.settings.serviceAccountKey, SCOPE);
        if ("outcome" in access) return access;
        const reply = yield get(address, access.headers);
        if (isMissing(reply)) return cameToNothing("Google knows no such operation; retry deletes anew");
        return deletion(reply);
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          const thing = thingOf(order);
          if (thing === undefined) return unknownName;
          const access = yield* authorised(order.settings.serviceAccountKey, SCOPE);
          return "outcome" in access ? access : seen(yield get(thing.address, access.headers));
        },
      },
    },
  },

  residuals: [
    {
      category: "in_memory_cache",
      days: 1,
      ground: "Vertex AI caches inputs and outputs for 24 hours unless the project switches it off",
      source: RETENTION,
    },
  ],
  retainable: [],
  limits: { connections: 2 },
});

const unknownName = unforeseen(
  noCall,
  "no name of this kind of object, or of no known region; correct its registration",
);

function thingOf({ identity: { type, value } }: Order<typeof settings>) {
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  const address = addressOf(value);
  const parts = value.split("/").filter((_, index) => index % 2 === 0);
  const isOfKind = parts.slice(2).join("/") === kind?.parts.join("/");
  return address !== undefined && isOfKind ? { address, forced: kind.forced === true } : undefined;
}

/** The address of a name, at the host of its region: words and ids in turn, `projects` and `locations` first. */
function addressOf(name: string): Address | undefined {
  const [, project = "", region = "", rest = ""] =
    /^projects\/([^/]+)\/locations\/([^/]+)((?:\/\w+\/[^/]+)+)$/.exec(name) ?? [];
  const isGlobal = region === "global";
  if (project === "" || (!isGlobal && !REGIONS.some((each) => each === region))) return undefined;
  const origin = isGlobal ? "https://aiplatform.googleapis.com" : originIn(region);
  const start = at`/v1/projects/${{ project }}/locations/${{ location: region }}`;
  let address = { url: origin + start.url, template: origin + start.template };
  for (const [, word = "", id = ""] of rest.matchAll(/\/(\w+)\/([^/]+)/g)) {
    const step = at`/${{ word }}/${{ id }}`;
    address = { url: address.url + step.url, template: `${address.template}/${word}/{id}` };
  }
  return address;
}

const forced = ({ url, template }: Address): Address => ({
  url: `${url}?force=true`,
  template: `${template}?force=true`,
});

/** Where a deletion stands: what was asked for, or the operation that does it. */
function deletion(reply: Reply): Answer {
  if (isMissing(reply)) return notFound;
  if (reply.status === 400 && refusalIn(reply).codes.includes("FAILED_PRECONDITION"))
    return unforeseen(reply, "it is in use, as a model that is deployed: undeploy it, then retry");
  if (reply.status !== 200) return refusal(reply, NEEDS);
  const answer = read(reply, Deletion);
  if (!answer.ok) return answer.problem;
  if (!("name" in answer.value)) return erased;
  const { name, done, error } = answer.value;
  if (done !== true) return accepted(name, ASK_AFTER_SECONDS);
  return error === undefined ? erased : cameToNothing("the deletion failed at Google; retry deletes anew");
}

function seen(reply: Reply): Sight {
  if (isMissing(reply)) return "absent";
  if (reply.status !== 200) return refusal(reply, NEEDS);
  const thing = read(reply, Thing);
  return thing.ok ? "present" : thing.problem;
}

const isMissing = (reply: Reply): boolean => reply.status === 404 && refusalIn(reply).codes.includes("NOT_FOUND");
