import { connectionsIn } from "../connections/connection.ts";
import type { Identity } from "../contract/identity.ts";
import { type Integration, isAbsent } from "../contract/integration.ts";
import { CONNECTION } from "../contract/oauth.ts";
import { ECHO_MS } from "../lanes/echo.ts";
import { listeners, shortNoticeId } from "../lanes/notice.ts";
import { type OrderPayload, residuePlace, sealPlace } from "../lanes/order.ts";
import type { Hash, NewTask, Opened, Opening } from "../platform/store/requests.ts";
import type { Ports, SealingKey } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { days, rfc3339, watchAt } from "./deadline.ts";
import { heeds, senderOf } from "./generation.ts";
import { type Draft, people } from "./people.ts";
import { type Planned, plan, waitingFor } from "./plan.ts";
import type { Policy } from "./policy.ts";
import type { RequestRecord } from "./request.ts";
import { shortageOf, underQuota } from "./shortage.ts";
import { apart, dropped, later, requestOf, type StepVerb } from "./step.ts";
import type { Task } from "./task.ts";
import { termsDue } from "./terms.ts";

/**
 * Starts requests: finds out whose data it is and who holds it, plans, and puts the orders into their lanes. Planning an
 * open request again adds what is new and puts back what was lost. What a vendor told, and has meanwhile become too old,
 * ends as cancelled.
 */
export const start: StepVerb = async (ports, context, token, steps) => {
  const { n } = context.tenant;
  const hashes = await ports.store.load(steps.map((step) => ({ n, id: requestOf(step) })));
  const all = steps.map((step, index) => ({ step, hash: hashes[index] ?? {} }));
  const live = all.filter(({ hash }) => hash.k !== undefined && (hash.st === "scheduled" || hash.st === "open"));
  const found = await people(ports, context, live);
  const planned = await apart(ports, found.drafts, (draft) => openingOf(ports, context, token, draft));
  const results = await ports.store.open(planned.done);
  await warn(ports, context, planned.done, results);
  const stale = planned.done.filter((_, index) => results[index]?.result === "stale");
  planned.done.forEach(({ id }, index) => {
    const by = results[index]?.supersededBy;
    if (by !== undefined) ports.log("request_superseded", { tenant: context.tenant.slug, request: id, by });
  });
  // The registry or the person's record changed under the plan: the next attempt sees the new one.
  if (stale.length > 0) await ports.tenants.byNumber(n, 0);
  return {
    settlements: [
      ...all.filter((each) => !live.includes(each)).map(({ step }) => dropped(step.order)),
      ...found.settlements,
      ...planned.settlements,
      ...found.drafts
        .filter(({ record }) => stale.some(({ id }) => id === record.id))
        .map(({ step }) => later(step.order, ports.now())),
    ],
    woken: results.flatMap(({ woken }) => woken),
  };
};

type Limited = Opening & { readonly limited: ReturnType<typeof underQuota> };

async function openingOf(ports: Ports, context: Context, token: string, draft: Draft): Promise<Limited> {
  const { step, hash, record, key, wrapped, subject, known, earlier } = draft;
  const { tenant } = context;
  const now = ports.now();
  const startAt = Date.parse(record.start_at);
  const asked = record.source === "api" ? termsDue(startAt, known, tenant, ports.integrations) : undefined;
  const deadline = Math.min(Date.parse(record.due_at), asked ?? Number.POSITIVE_INFINITY);
  const due = rfc3339(deadline);
  const full = {
    ...record,
    due_at: due,
    ...(subject !== undefined && { subject }),
    registry_version: Number(context.version),
  };
  const planned = plan(full, tenant, ports.integrations, known, now, { earlier, shared: draft.shared });
  const pseudonyms = new Map(
    await Promise.all(
      known.map(async (identity) => [tagKey(identity), await context.keys.pseudonym("suppression", identity)] as const),
    ),
  );
  const tagsOf = (each: Planned) =>
    "identities" in each ? each.identities.map((identity) => pseudonyms.get(tagKey(identity))?.slice(0, 8) ?? "") : [];
  const late = lateObjects(planned, hash, tagsOf);
  const all = [...planned.map((each) => afterLate(each, late)), ...late];
  const tasks = await Promise.all(all.map((each) => newTask(each, full, key, wrapped, all, deadline)));
  const tags = all.flatMap((each): [string, string][] =>
    "identities" in each && hash[`g:${each.task.id}`] === undefined
      ? [[`g:${each.task.id}`, tagsOf(each).join(" ")]]
      : [],
  );
  const connections = connectionsIn(all.flatMap((each) => ("identities" in each ? each.identities : []))).map(
    ({ value }) => value,
  );
  const limited = underQuota(all, tenant, ports.integrations, now);
  const suppressions = suppressionsOf(draft, all, ports, tenant.policy, pseudonyms);
  const signal = signalOf(draft, tenant.policy, now);
  // The connections that end too: with the close, their tokens are destroyed whatever became of the tasks.
  const isEnding = ({ type, value }: Identity) => type === CONNECTION && connections.includes(value);
  const persons = known.filter(
    (identity) => identity.subprocessor === undefined || draft.given.includes(identity) || isEnding(identity),
  );
  return {
    n: tenant.n,
    version: context.version,
    now,
    token,
    attempt: step.order.attempt,
    id: record.id,
    subject: subject ?? `none-${record.id}`,
    subjectVersion: draft.subjectVersion,
    deadline,
    ...(due !== record.due_at && { watchAt: watchAt(startAt, deadline) }),
    fields: {
      d: JSON.stringify(full),
      // The receipt names the person by all that they are known by.
      s: await key.seal(`request ${record.id} identities`, JSON.stringify(persons)),
      ...Object.fromEntries(tags),
    },
    suppressions,
    connections,
    tasks,
    ...(signal !== undefined && { signal }),
    limited,
    counts: limited.map(({ subprocessor }) => subprocessor),
  };
}

/** Says so where a quota makes deadlines impossible as things stand. It costs a round trip for all of them, and only then. */
async function warn(
  ports: Ports,
  context: Context,
  openings: readonly Limited[],
  results: readonly Opened[],
): Promise<void> {
  const short = openings.flatMap(({ id, limited, deadline }, index) => {
    const opened = results[index];
    const found = limited.flatMap((each, place) => {
      const shortage = shortageOf(each, opened?.ahead?.[place] ?? 0, deadline);
      return shortage === undefined ? [] : [{ shortage, quota: each.quota }];
    });
    return opened?.result !== "open" || found.length === 0 ? [] : [{ id, found }];
  });
  if (short.length === 0) return;
  const { tenant } = context;
  for (const { id, found } of short)
    for (const { shortage } of found)
      ports.log("request_quota_short", {
        tenant: tenant.slug,
        request: id,
        subprocessor: shortage.subprocessor,
        earliest_at: shortage.earliest_at,
      });
  const quotas = new Map(
    short.flatMap(({ found }) => found.map((each) => [`${each.quota.account} ${each.quota.day}`, each] as const)),
  );
  const isFirst = await ports.store.warn(
    tenant.n,
    short.map(({ id, found }) => ({ id, warnings: JSON.stringify(found.map(({ shortage }) => shortage)) })),
    [...quotas.values()].map(({ quota }) => quota),
    ports.now(),
  );
  // Thousands of requests may wait for one holder; its owner is told of it once a day.
  for (const [index, { shortage, quota }] of [...quotas.values()].entries())
    if (isFirst[index] === true)
      await ports.store.tell(
        tenant.n,
        shortNoticeId(shortage.subprocessor, quota.day),
        listeners(ports, context),
        ports.now(),
      );
}

/** What is compared again where a signal asked for this: it may have waited, for a release or in a lane that was behind. */
function signalOf({ hash, record, indexes }: Draft, policy: Policy, now: number): Opening["signal"] {
  if (record.signal_at === undefined || hash.st !== "scheduled") return undefined;
  return {
    at: Date.parse(record.signal_at),
    heeds: heeds(record.signal, senderOf(record.source)),
    identities: indexes,
    cancelled: JSON.stringify({ ...record, cancelled_at: rfc3339(now) }),
    keepMs: days(policy.receipt_days),
  };
}

/**
 * What keeps the person from being collected again, and a vendor's report of our own act from opening anything. Only ids of
 * a vendor's own on which a task of its acts can come back from it, so only these name it.
 */
function suppressionsOf(
  { record, known, given }: Draft,
  planned: readonly Planned[],
  ports: Ports,
  policy: Policy,
  pseudonyms: ReadonlyMap<string, string>,
): Opening["suppressions"] {
  const erases = record.type !== "revocation" && record.authority === "everywhere" && record.continues === undefined;
  const actors = new Map(
    planned.flatMap((each) =>
      "identities" in each
        ? each.identities
            .filter(({ type }) => mayEcho(ports.integrations.get(each.task.integration), type))
            .map((identity) => [tagKey(identity), each.task.subprocessor] as const)
        : [],
    ),
  );
  return known.flatMap((identity) => {
    const actor = actors.get(tagKey(identity));
    const isOwn = identity.subprocessor === undefined || identity.account === true;
    const isPerson = erases && (isOwn || given.includes(identity));
    if (!isPerson && actor === undefined) return [];
    return [
      {
        pseudonym: pseudonyms.get(tagKey(identity)) ?? "",
        value: `${isPerson ? "erased" : "acted"} ${record.id} ${actor ?? "-"}`,
        lifetimeMs: isPerson ? days(policy.suppression_days) : ECHO_MS,
      },
    ];
  });
}

/** A vendor without hooks tells us nothing, so nothing of it can come back. */
const mayEcho = (integration: Integration | undefined, type: string): boolean =>
  integration !== undefined && !isAbsent(integration.hooks) && Object.hasOwn(integration.identities, type);

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

/** Whatever waits for a task waits for what joined it as well: a grant is not revoked before what is late has been done with it. */
function afterLate(each: Planned, late: readonly Planned[]): Planned {
  if (each.what !== "wait") return each;
  const joined = late.map(({ task }) => task.id).filter((id) => each.after.includes(id.slice(0, id.lastIndexOf("."))));
  return joined.length === 0 ? each : waitingFor(each, [...each.after, ...joined]);
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
  const identities: readonly Identity[] = [...planned.identities, ...(planned.connections ?? [])];
  // Why it waits is over when it is worked.
  const { reason: _, ...bare } = planned.task;
  const payload: OrderPayload = {
    request: record.id,
    ...(record.subject !== undefined && { subject: record.subject }),
    task: bare,
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
