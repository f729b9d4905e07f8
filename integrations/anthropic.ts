import { z } from "zod";
import {
  type Address,
  at,
  type Call,
  del,
  get,
  noCall,
  postJson,
  type Reply,
  read,
  readRefusal,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import { readable } from "../src/contract/check.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, accepted, erased, notFound, type Sight } from "../src/contract/outcome.ts";
import { optional, type Settings, secret } from "../src/contract/settings.ts";
import { json } from "../src/contract/signal.ts";

/**
 * The Claude API stores files, message batches and skills for the tenant, and with Managed Agents sessions, vaults and
 * memories. It tells us when a session, vault, credential or memory store was deleted. Each object is erased by its id, so
 * the product registers it when it creates it; a plain message leaves nothing that a call could delete.
 */
const WEBHOOKS = "https://platform.claude.com/docs/en/managed-agents/webhooks";
const DELETE = "https://platform.claude.com/docs/en/api/files/delete";
const KEYS = "https://platform.claude.com/docs/en/api/overview";
const RETENTION = "https://privacy.anthropic.com/en/articles/7996866-how-long-do-you-store-personal-data";

/** Files, batches and skills are generally available; Managed Agents are not, and memories have a version of their own. */
const AGENTS = "managed-agents-2026-04-01";
const MEMORY = "agent-memory-2026-07-22";

type Kind = {
  /** One id, or that of the object around it and its own. */
  readonly name: RegExp;
  readonly address: (id: string, inner: string) => Address;
  readonly beta?: string;
  /** What the answer to a deletion says it is. */
  readonly deleted: z.ZodType;
};
const ONE = /^([^/]+)$/;
const TWO = /^([^/]+)\/([^/]+)$/;

const kinds: Readonly<Record<string, Kind>> = {
  "anthropic.file": {
    name: ONE,
    address: (id) => at`https://api.anthropic.com/v1/files/${{ file: id }}`,
    // The description lets only a file's answer go without.
    deleted: z.literal("file_deleted").optional(),
  },
  "anthropic.message_batch": {
    name: ONE,
    address: (id) => at`https://api.anthropic.com/v1/messages/batches/${{ batch: id }}`,
    deleted: z.literal("message_batch_deleted"),
  },
  "anthropic.skill": {
    name: ONE,
    address: (id) => at`https://api.anthropic.com/v1/skills/${{ skill: id }}`,
    deleted: z.literal("skill_deleted"),
  },
  "anthropic.session": {
    name: ONE,
    address: (id) => at`https://api.anthropic.com/v1/sessions/${{ session: id }}?beta=true`,
    beta: AGENTS,
    deleted: z.literal("session_deleted"),
  },
  "anthropic.vault": {
    name: ONE,
    address: (id) => at`https://api.anthropic.com/v1/vaults/${{ vault: id }}?beta=true`,
    beta: AGENTS,
    deleted: z.literal("vault_deleted"),
  },
  "anthropic.vault_credential": {
    name: TWO,
    address: (id, inner) =>
      at`https://api.anthropic.com/v1/vaults/${{ vault: id }}/credentials/${{ credential: inner }}?beta=true`,
    beta: AGENTS,
    deleted: z.literal("vault_credential_deleted"),
  },
  "anthropic.memory_store": {
    name: ONE,
    address: (id) => at`https://api.anthropic.com/v1/memory_stores/${{ store: id }}?beta=true`,
    beta: MEMORY,
    deleted: z.literal("memory_store_deleted"),
  },
  "anthropic.memory": {
    name: TWO,
    address: (id, inner) =>
      at`https://api.anthropic.com/v1/memory_stores/${{ store: id }}/memories/${{ memory: inner }}?beta=true`,
    beta: MEMORY,
    deleted: z.literal("memory_deleted"),
  },
};

const Id = z.string().min(1).max(256);

/** RFC 3339; what has whole seconds may have happened until the end of its own. */
const Time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text) + (text.includes(".") ? 0 : 999));

/** What was deleted and may be a person's, by the name of the event. Agents, environments and deployments are the tenant's. */
const DELETIONS: ReadonlySet<string> = new Set([
  "session.deleted",
  "vault.deleted",
  "vault_credential.deleted",
  "memory_store.deleted",
]);
const Data = z.union([
  z
    .object({ type: z.enum(["session.deleted", "vault.deleted", "memory_store.deleted"]), id: Id })
    .transform(({ type, id }) => ({ name: type, type: `anthropic.${type.replace(".deleted", "")}`, value: id })),
  z
    .object({ type: z.literal("vault_credential.deleted"), id: Id, vault_id: Id })
    .transform(({ type, id, vault_id }) => ({
      name: type,
      type: "anthropic.vault_credential",
      value: `${vault_id}/${id}`,
    })),
  z
    .object({ type: z.string().min(1) })
    .refine(({ type }) => !DELETIONS.has(type))
    .transform(({ type }) => ({ name: type, type: undefined, value: undefined })),
]);
/** Thin: the object has to be asked for, or is gone. `created_at` is when it happened, not when it was sent. */
const Event = z.object({ id: z.string().min(1), created_at: Time, data: Data });

const Refused = z.object({ error: z.object({ type: z.string() }) });
const Thing = z.object({ id: z.string() });
const Batch = z.object({ processing_status: z.enum(["in_progress", "canceling", "ended"]) });
const Session = z.object({ status: z.string() });
const Page = z.object({ data: z.array(z.object({ id: z.string() })) });
const Versions = z.object({
  data: z.array(z.object({ id: z.string(), redacted_at: z.string().nullish() })),
  next_page: z.string().nullish(),
});
const Redacted = z.object({ redacted_at: z.string() });

/** "Most batches finish within an hour", and all within a day; cancelling lets what runs come to its end. */
const ENDING_SECONDS = 300;
const INTERRUPTED_SECONDS = 30;

/** Pages of a hundred versions that one attempt looks at, and versions that it changes: well below the calls of a run. */
const MOST_PAGES = 50;
const MOST_CHANGED = 300;

const settings = {
  apiKey: secret("API key of the workspace", /^sk-ant-/),
  webhookKey: optional(secret("Webhook signing key", /^whsec_/)),
} satisfies Settings;

export const anthropic = defineIntegration({
  id: "anthropic",
  name: "Anthropic",
  about: "Generates and stores content for the tenant.",
  origins: ["https://api.anthropic.com"],
  settings,
  identities: {
    "anthropic.file": "File id",
    "anthropic.message_batch": "Message batch id",
    "anthropic.skill": "Id of a custom skill, with all its versions",
    "anthropic.session": "Managed Agents session id",
    "anthropic.vault": "Vault id, with all its credentials",
    "anthropic.vault_credential": "Credential of a vault: vault id/credential id",
    "anthropic.memory_store": "Memory store id, with all its memories and their versions",
    "anthropic.memory": "Memory with its versions: memory store id/memory id",
  },

  hooks: {
    "managed-agents": {
      source: WEBHOOKS,
      // A public guide names another header; the vendor's SDK checks these three.
      verify: { scheme: "standard-webhooks", key: "webhookKey", withinSeconds: 300 },
      contentTypes: ["application/json"],
      read: json(Event, ({ id, created_at, data: { name, type, value } }) => [
        {
          id,
          name,
          signals: type === undefined ? [] : [{ type: "content_deleted", identity: { type, value }, at: created_at }],
        },
      ]),
      authority: { content_deleted: "record" },
      // "At least one retry".
      retriesForHours: "unknown",
      events: [
        "session.deleted",
        "vault.deleted",
        "vault_credential.deleted",
        "memory_store.deleted",
        "vault_credential.refresh_failed",
        "session.{change}",
        "vault.{change}",
        "vault_credential.{change}",
        "memory_store.{change}",
        "agent.{change}",
        "environment.{change}",
        "deployment.{change}",
        "deployment_run.{change}",
      ],
    },
  },

  oauth: absent("API keys only", KEYS),

  actions: {
    revoke: absent(
      "nothing is granted by a person to Anthropic; a credential in a vault is another vendor's grant, which is revoked there",
      "https://platform.claude.com/docs/en/managed-agents/vaults",
    ),
    erase: {
      source: DELETE,
      by: Object.keys(kinds),
      each: "identity",
      *run(order) {
        return yield* erase(order);
      },
      *check(_, order) {
        return yield* erase(order);
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          const target = targetOf(order);
          if (target === undefined) return unknownName;
          const sight = seen(yield get(target.address, target.headers), target);
          if (sight !== "absent" || order.identity.type !== "anthropic.memory") return sight;
          const left = yield* versionsOf(target, () => false);
          return left === "none" || left === "redacted" ? "absent" : left === "some" ? "present" : left;
        },
      },
    },
  },

  check: {
    source: KEYS,
    shows: "the key is of a workspace and reads its files; a key may delete what it may read",
    *run({ apiKey }) {
      const headers = { "x-api-key": apiKey, "anthropic-version": "2023-06-01" };
      const reply = yield get(at`https://api.anthropic.com/v1/files?limit=1`, headers);
      return readable(reply, Page, "this key has no permission for the files of its workspace");
    },
  },

  residuals: [
    {
      category: "api_inputs_and_outputs",
      days: 30,
      ground: "Anthropic deletes what was sent and answered within 30 days, unless less was agreed",
      source: RETENTION,
    },
    {
      category: "flagged_content",
      days: 730,
      ground: "Anthropic keeps what its classifiers flag as a violation of its usage policy for up to two years",
      source: RETENTION,
    },
    {
      category: "safety_scores",
      days: 2555,
      ground: "Anthropic keeps the classification scores of what was flagged for up to seven years",
      source: RETENTION,
    },
  ],
  retainable: [],
  limits: { connections: 3 },
});

type AnthropicOrder = Order<typeof settings>;
type Target = {
  readonly id: string;
  readonly inner: string;
  readonly address: Address;
  readonly headers: Readonly<Record<string, string>>;
  readonly deleted: z.ZodType;
};

const unknownName = unforeseen(noCall, "no name of this kind of object; correct it where it was registered");

function targetOf({ identity, settings: { apiKey } }: AnthropicOrder): Target | undefined {
  const kind = Object.hasOwn(kinds, identity.type) ? kinds[identity.type] : undefined;
  const [, id, inner = ""] = kind?.name.exec(identity.value) ?? [];
  if (kind === undefined || id === undefined) return undefined;
  const { beta, deleted } = kind;
  const headers = {
    "x-api-key": apiKey,
    "anthropic-version": "2023-06-01",
    ...(beta !== undefined && { "anthropic-beta": beta }),
  };
  return { id, inner, address: kind.address(id, inner), headers, deleted };
}

function* erase(order: AnthropicOrder): Steps<Answer> {
  const target = targetOf(order);
  if (target === undefined) return unknownName;
  switch (order.identity.type) {
    case "anthropic.message_batch":
      return yield* eraseBatch(target);
    case "anthropic.session":
      return yield* eraseSession(target);
    case "anthropic.skill":
      return yield* eraseSkill(target);
    case "anthropic.memory":
      return yield* eraseMemory(target);
    default:
      return meaning(yield remove(target), target);
  }
}

const remove = ({ address, headers }: Target): Call => del(address, headers);

/** A deletion's answer names the object and says what it was. */
function meaning(reply: Reply, { id, inner, deleted }: Target): Answer {
  if (reply.status !== 200) return missing(reply) ? notFound : refusal(reply);
  const answer = read(reply, z.object({ id: z.literal(inner === "" ? id : inner), type: deleted }));
  return answer.ok ? erased : answer.problem;
}

function seen(reply: Reply, { id, inner }: Target): Sight {
  if (reply.status !== 200) return missing(reply) ? "absent" : refusal(reply);
  const thing = read(reply, Thing);
  if (!thing.ok) return thing.problem;
  return thing.value.id === (inner === "" ? id : inner)
    ? "present"
    : unforeseen(reply, "the look found something else");
}

/** "Doesn't exist or you don't have access to it": a key sees its own workspace, so what it does not see is not there. */
function missing(reply: Reply): boolean {
  const refused = readRefusal(reply, Refused);
  return reply.status === 404 && refused.ok && refused.value.error.type === "not_found_error";
}

function refusal(reply: Reply) {
  return reply.status === 403
    ? unauthorized(reply, "Anthropic says that this key has no permission here")
    : unforeseen(reply);
}

/** "Can only be deleted once they've finished processing": one that runs is cancelled, and asked about until it has ended. */
function* eraseBatch(target: Target): Steps<Answer> {
  const { id, address, headers } = target;
  const reply = yield get(address, headers);
  if (reply.status !== 200) return missing(reply) ? notFound : refusal(reply);
  const batch = read(reply, Batch);
  if (!batch.ok) return batch.problem;
  if (batch.value.processing_status === "ended") return meaning(yield remove(target), target);
  if (batch.value.processing_status === "in_progress") {
    const canceled = read(
      yield { method: "POST", at: at`https://api.anthropic.com/v1/messages/batches/${{ batch: id }}/cancel`, headers },
      Batch,
    );
    if (!canceled.ok) return canceled.problem;
  }
  return accepted("ending", ENDING_SECONDS);
}

/** A session that runs cannot be deleted; it is interrupted, which takes until the agent comes to a safe place. */
function* eraseSession(target: Target): Steps<Answer> {
  const { id, address, headers } = target;
  const reply = yield get(address, headers);
  if (reply.status !== 200) return missing(reply) ? notFound : refusal(reply);
  const session = read(reply, Session);
  if (!session.ok) return session.problem;
  // Unconfirmed: whether one that is rescheduled can be deleted. It would run again, so it is interrupted too.
  if (session.value.status !== "running" && session.value.status !== "rescheduling")
    return meaning(yield remove(target), target);
  const events = at`https://api.anthropic.com/v1/sessions/${{ session: id }}/events?beta=true`;
  const interrupted = yield postJson(events, headers, { events: [{ type: "user.interrupt" }] });
  return interrupted.status === 200 ? accepted("interrupted", INTERRUPTED_SECONDS) : refusal(interrupted);
}

/** Unconfirmed: that a skill with versions cannot be deleted. Its versions go first, which serves both readings. */
function* eraseSkill(target: Target): Steps<Answer> {
  const { id, headers } = target;
  for (let changed = 0; ; ) {
    const reply = yield get(at`https://api.anthropic.com/v1/skills/${{ skill: id }}/versions?limit=100`, headers);
    if (missing(reply)) break;
    if (reply.status !== 200) return refusal(reply);
    const versions = read(reply, Page);
    if (!versions.ok) return versions.problem;
    if (versions.value.data.length === 0) break;
    for (const { id: version } of versions.value.data) {
      const gone = yield del(at`https://api.anthropic.com/v1/skills/${{ skill: id }}/versions/${{ version }}`, headers);
      if (gone.status !== 200 && !missing(gone)) return refusal(gone);
      changed++;
    }
    if (changed >= MOST_CHANGED) return { outcome: "more" };
  }
  return meaning(yield remove(target), target);
}

/**
 * Versions "belong to the store and persist after the memory is deleted", with its text and path: each is redacted, which
 * leaves who wrote it and when. The memory goes first, because the version that it shows may not be redacted.
 */
function* eraseMemory(target: Target): Steps<Answer> {
  const answer = meaning(yield remove(target), target);
  if (answer.outcome !== "erased" && answer.outcome !== "not_found") return answer;
  const versions = yield* versionsOf(target, (changed) => changed < MOST_CHANGED);
  if (versions === "none") return answer;
  if (versions === "redacted") return erased;
  return versions === "some" ? { outcome: "more" } : versions;
}

type Left = "none" | "redacted" | "some" | Extract<Answer, { outcome: "unforeseen" | "unauthorized" }>;

/** Goes through a memory's versions and redacts them for as long as it may; `some` are left if it may not. */
function* versionsOf({ id, inner, headers }: Target, may: (changed: number) => boolean): Steps<Left> {
  let next: string | undefined;
  let [known, changed] = [0, 0];
  for (let page = 0; page < MOST_PAGES; page++) {
    const list =
      next === undefined
        ? at`https://api.anthropic.com/v1/memory_stores/${{ store: id }}/memory_versions?beta=true&memory_id=${{ memory: inner }}&limit=100`
        : at`https://api.anthropic.com/v1/memory_stores/${{ store: id }}/memory_versions?beta=true&memory_id=${{ memory: inner }}&limit=100&page=${{ page: next }}`;
    const reply = yield get(list, headers);
    // The store itself is gone, and its versions with it.
    if (missing(reply)) return "none";
    if (reply.status !== 200) return refusal(reply);
    const versions = read(reply, Versions);
    if (!versions.ok) return versions.problem;
    known += versions.value.data.length;
    for (const { id: version, redacted_at } of versions.value.data) {
      if (redacted_at != null) continue;
      if (!may(changed)) return "some";
      const redacted = read(
        yield {
          method: "POST",
          at: at`https://api.anthropic.com/v1/memory_stores/${{ store: id }}/memory_versions/${{ version }}/redact?beta=true`,
          headers,
        },
        Redacted,
      );
      if (!redacted.ok) return redacted.problem;
      changed++;
    }
    if (versions.value.next_page == null) return known === 0 ? "none" : "redacted";
    next = versions.value.next_page;
  }
  return unforeseen({ status: 200 }, `this memory has more than ${MOST_PAGES * 100} versions`);
}
