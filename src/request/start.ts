import type { Identity } from "../contract/identity.ts";
import { sameIdentity } from "../contract/identity.ts";
import { ECHO_MS } from "../lanes/echo.ts";
import { type OrderPayload, residuePlace, sealPlace } from "../lanes/order.ts";
import type { Hash, NewTask, Opening } from "../platform/store/requests.ts";
import type { Ports, SealingKey } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { days } from "./deadline.ts";
import { type KnownIdentity, type Planned, plan } from "./plan.ts";
import type { RequestRecord } from "./request.ts";
import { dropped, later, requestOf, type Step, type StepVerb } from "./step.ts";
import { openSubject } from "./subject.ts";
import type { Task } from "./task.ts";

/**
 * Starts requests: finds out whose data it is and who holds it, plans, and puts the orders into their lanes. Planning an
 * open request again adds what is new and puts back what was lost.
 */
export const start: StepVerb = async (ports, context, token, steps) => {
  const { n } = context.tenant;
  const hashes = await ports.store.load(steps.map((step) => ({ n, id: requestOf(step) })));
  const live = steps.flatMap((step, index) => {
    const hash = hashes[index];
    return hash?.k !== undefined && hash.s !== undefined && (hash.st === "scheduled" || hash.st === "open")
      ? [{ step, hash }]
      : [];
  });
  const drafts = await people(ports, context, live);
  const openings = await Promise.all(drafts.map((draft) => openingOf(ports, context, token, draft)));
  const results = await ports.store.open(openings);
  const stale = results.some(({ result }) => result === "stale");
  // The registry changed under the plan: the next attempt sees the new one.
  if (stale) await ports.tenants.byNumber(n, 0);
  const settled = new Set(live.map(({ step }) => step));
  return {
    settlements: [
      ...steps.filter((step) => !settled.has(step)).map(({ order }) => dropped(order)),
      ...drafts.flatMap(({ step }, index) =>
        results[index]?.result === "stale" ? [later(step.order, ports.now())] : [],
      ),
    ],
    woken: results.flatMap(({ woken }) => woken),
  };
};

type Live = { readonly step: Step; readonly hash: Hash };
type Draft = Live & {
  readonly record: RequestRecord;
  readonly key: SealingKey;
  readonly wrapped: string;
  readonly subject: string | undefined;
  readonly known: readonly KnownIdentity[];
  readonly erasedBy: string | undefined;
};

/** Whose data it is: the identities that the request came with, and what is known of their subject. Two round trips for all. */
async function people(ports: Ports, context: Context, live: readonly Live[]): Promise<readonly Draft[]> {
  const { n } = context.tenant;
  const opened = await Promise.all(
    live.map(async ({ step, hash }) => {
      const id = requestOf(step);
      // Written by `record` and by nobody else.
      const record = JSON.parse(hash.d ?? "{}") as RequestRecord;
      const wrapped = hash.k ?? "";
      const key = await context.keys.unwrap(`request ${id}`, wrapped);
      const given = JSON.parse(await key.open(`request ${id} identities`, hash.s ?? "")) as KnownIdentity[];
      const indexes = await Promise.all(given.map((identity) => context.keys.pseudonym("index", identity)));
      return { step, hash, record, key, wrapped, given, indexes };
    }),
  );
  const lookups = opened.flatMap(({ record, indexes }, at) =>
    record.subject === undefined ? indexes.map((pseudonym) => ({ at, pseudonym })) : [],
  );
  const found = await ports.store.subjectsOf(lookups.map(({ pseudonym }) => ({ n, pseudonym })));
  const subjects = opened.map(
    ({ record }, at) =>
      record.subject ?? lookups.flatMap((lookup, index) => (lookup.at === at ? (found[index] ?? []) : []))[0],
  );
  const named = subjects.flatMap((subject, at) => (subject === undefined ? [] : [{ at, subject }]));
  const records = await ports.store.subjects(named.map(({ subject }) => ({ n, subject })));
  const known = new Map(
    await Promise.all(
      named.map(
        async ({ at, subject }, index) => [at, await openSubject(context.keys, subject, records[index] ?? {})] as const,
      ),
    ),
  );
  const strangers = opened.flatMap((draft, at) =>
    subjects[at] === undefined && draft.given.length > 0 ? [{ ...draft, at }] : [],
  );
  const erasures = await erasuresOf(ports, context, strangers);
  const gone = new Map(named.map(({ at }, index) => [at, records[index]?.gone]));
  return opened.map((draft, at) => {
    const linked = draft.record.continues === undefined ? (known.get(at)?.known ?? []) : [];
    const fresh = linked.filter((identity) => !draft.given.some((each) => sameIdentity(each, identity)));
    const all = [...draft.given, ...fresh.map(({ field: _, ...identity }) => identity)];
    return { ...draft, subject: subjects[at], known: all, erasedBy: gone.get(at) ?? erasures.get(at) };
  });
}

/** By which request those were erased of whom nothing is known but that all they are named by is suppressed. */
async function erasuresOf(
  ports: Ports,
  { tenant, keys }: Context,
  strangers: readonly { readonly at: number; readonly given: readonly KnownIdentity[] }[],
): Promise<ReadonlyMap<number, string>> {
  const lookups = await Promise.all(
    strangers.flatMap(({ at, given }) =>
      given.map(async (identity) => ({ at, pseudonym: await keys.pseudonym("suppression", identity) })),
    ),
  );
  const entries = await ports.store.suppressed(
    tenant.n,
    lookups.map(({ pseudonym }) => pseudonym),
  );
  const by = new Map<number, string | undefined>();
  lookups.forEach(({ at }, index) => {
    const request = /^erased (\S+)$/.exec(entries[index] ?? "")?.[1];
    by.set(at, by.has(at) && by.get(at) === undefined ? undefined : request);
  });
  return new Map([...by].flatMap(([at, request]) => (request === undefined ? [] : [[at, request] as const])));
}

async function openingOf(ports: Ports, context: Context, token: string, draft: Draft): Promise<Opening> {
  const { step, hash, record, key, wrapped, subject, known, erasedBy } = draft;
  const { tenant } = context;
  const now = ports.now();
  const full = { ...record, ...(subject !== undefined && { subject }), registry_version: Number(context.version) };
  const planned = plan(full, tenant, ports.integrations, known, now, erasedBy);
  const pseudonyms = new Map(
    await Promise.all(
      known.map(async (identity) => [tagKey(identity), await context.keys.pseudonym("suppression", identity)] as const),
    ),
  );
  const tagsOf = (each: Planned) =>
    "identities" in each ? each.identities.map((identity) => pseudonyms.get(tagKey(identity))?.slice(0, 8) ?? "") : [];
  const all = [...planned, ...lateObjects(planned, hash, tagsOf)];
  const deadline = Date.parse(record.due_at);
  const tasks = await Promise.all(all.map((each) => newTask(each, full, key, wrapped, planned, deadline)));
  const tags = all.flatMap((each): [string, string][] =>
    "identities" in each && hash[`g:${each.task.id}`] === undefined
      ? [[`g:${each.task.id}`, tagsOf(each).join(" ")]]
      : [],
  );
  const everywhere = record.type !== "revocation" && record.authority === "everywhere";
  const suppressions = known.map((identity) => {
    // A person stays suppressed; what a vendor held for them is only kept from echoing.
    const erases = everywhere && identity.subprocessor === undefined;
    return {
      pseudonym: pseudonyms.get(tagKey(identity)) ?? "",
      value: `${erases ? "erased" : "acted"} ${record.id}`,
      lifetimeMs: erases ? days(tenant.policy.suppression_days) : ECHO_MS,
    };
  });
  return {
    n: tenant.n,
    version: context.version,
    now,
    token,
    attempt: step.order.attempt,
    id: record.id,
    subject: subject ?? `none-${record.id}`,
    deadline,
    fields: { d: JSON.stringify(full), ...Object.fromEntries(tags) },
    suppressions,
    tasks,
  };
}

const tagKey = ({ type, value }: Identity): string => `${type}\u0000${value}`;

/**
 * What became known after a task had been planned joins the erasure as a task of its own. Short tags beside each task tell
 * which identities it was planned with, so that nothing has to be opened to compare.
 */
function lateObjects(
  planned: readonly Planned[],
  hash: Hash,
  tagsOf: (each: Planned) => readonly string[],
): readonly Planned[] {
  return planned.flatMap((each): Planned[] => {
    const before = hash[`t:${each.task.id}`];
    if (before === undefined || !("identities" in each)) return [];
    const planned = Object.entries(hash).filter(
      ([name]) => name === `g:${each.task.id}` || name.startsWith(`g:${each.task.id}.`),
    );
    // Planned without any identity and still open: `open` gives that very task its order.
    if (planned.length === 0 && (JSON.parse(before) as Task).state !== "ended") return [];
    const seen = new Set(planned.flatMap(([, tags]) => tags.split(" ")));
    const tags = tagsOf(each);
    const identities = each.identities.filter((_, index) => !seen.has(tags[index] ?? ""));
    if (identities.length === 0) return [];
    const id = `${each.task.id}.${planned.length + 1}`;
    return [{ ...each, what: "order", identities, after: [], task: { ...each.task, id, state: "queued" } }];
  });
}

async function newTask(
  planned: Planned,
  record: RequestRecord,
  key: SealingKey,
  wrapped: string,
  all: readonly Planned[],
  deadline: number,
): Promise<NewTask> {
  const { task } = planned;
  const base = { id: task.id, subprocessor: task.subprocessor, what: planned.what };
  if (planned.what === "open") return { ...base, document: JSON.stringify(task), payload: "", waits: [] };
  if (planned.what === "ended") {
    const until = planned.task.retained?.[0]?.until;
    const residue =
      planned.owes.length > 0 && until !== undefined
        ? {
            residue: {
              sealed: await key.seal(residuePlace(record.id, task.id), JSON.stringify(planned.owes)),
              dueAt: until,
            },
          }
        : {};
    return { ...base, document: JSON.stringify({ ...planned.task, ...residue }), payload: "", waits: [] };
  }
  const identities: readonly Identity[] = planned.identities;
  const payload: OrderPayload = {
    request: record.id,
    task: planned.task,
    receivedAt: record.received_at,
    deadline,
    keeps: planned.keeps,
    frees: all.flatMap((each) =>
      each.what === "wait" && each.after.includes(task.id)
        ? [{ task: each.task.id, subprocessor: each.task.subprocessor }]
        : [],
    ),
    key: wrapped,
    sealed: await key.seal(sealPlace(record.id, task.id), JSON.stringify(identities)),
  };
  return {
    ...base,
    document: JSON.stringify(planned.task),
    payload: JSON.stringify(payload),
    waits: planned.after,
  };
}
