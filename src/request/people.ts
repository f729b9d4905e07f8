import { connectionIdentity } from "../connections/connection.ts";
import { sharedAccounts } from "../connections/sibling.ts";
import { type Identity, sameIdentity } from "../contract/identity.ts";
import { isAbsent } from "../contract/integration.ts";
import type { Kept } from "../contract/outcome.ts";
import { parseRequestId } from "../ids.ts";
import type { Hash } from "../platform/store/requests.ts";
import type { Ports, SealingKey } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { closedRecord, expand, receiptIn } from "./compact.ts";
import type { Earlier, KnownIdentity } from "./plan.ts";
import type { RequestRecord } from "./request.ts";
import { apart, requestOf, type Step } from "./step.ts";
import { openSubject, type SubjectRecord } from "./subject.ts";

/** A request that is to start, opened, with all that is known of its person. */
export type Draft = {
  readonly step: Step;
  readonly hash: Hash;
  readonly record: RequestRecord;
  readonly key: SealingKey;
  readonly wrapped: string;
  readonly subject: string | undefined;
  /** The version of the subject's record that `known` was read from. */
  readonly subjectVersion: string;
  readonly given: readonly KnownIdentity[];
  readonly known: readonly KnownIdentity[];
  /** The index pseudonyms of what it came with. */
  readonly indexes: readonly string[];
  /** The closed erasure by which nothing is known of this person any more. */
  readonly earlier: Earlier | undefined;
  /** Accounts of the person that somebody else has connected too, with the subprocessor where. */
  readonly shared: readonly KnownIdentity[];
};

type Opened = Pick<Draft, "step" | "hash" | "record" | "key" | "wrapped" | "given" | "indexes">;

/**
 * Finds out whose data it is: the identities that each request came with, and what is known of their subject. A few round
 * trips for all; what cannot be opened for one comes back later by itself.
 */
export async function people(
  ports: Ports,
  context: Context,
  live: readonly { readonly step: Step; readonly hash: Hash }[],
) {
  const { n } = context.tenant;
  const opening = await apart(ports, live, ({ step, hash }) => opened(context, step, hash));
  const requests = opening.done;
  const lookups = requests.flatMap(({ record, indexes }, at) =>
    record.subject === undefined ? indexes.map((pseudonym) => ({ at, pseudonym })) : [],
  );
  const [found, ofAccounts] = await Promise.all([
    ports.store.subjectsOf(lookups.map(({ pseudonym }) => ({ n, pseudonym }))),
    connectionsNamed(ports, context, requests),
  ]);
  const named = requests.map((request, at) => ({
    ...request,
    subject:
      request.record.subject ?? lookups.flatMap((lookup, index) => (lookup.at === at ? (found[index] ?? []) : []))[0],
  }));
  const hashes = await ports.store.subjects(named.map(({ subject }) => ({ n, subject: subject ?? "" })));
  const withHash = named.map((request, at) => ({
    ...request,
    subjectHash: hashes[at] ?? {},
    connections: ofAccounts[at] ?? [],
  }));
  const reading = await apart(ports, withHash, async (request) => ({
    ...request,
    subjectRecord: await openSubject(context.keys, request.subject ?? "", request.subjectHash),
  }));
  const before = await erasedBefore(ports, context, reading.done);
  const known = reading.done.map(({ subjectRecord, connections, ...rest }) =>
    withConnections(knownOf(rest, subjectRecord), connections),
  );
  const shared = await sharedAccounts(ports, context, known);
  const drafting = await apart(
    ports,
    reading.done.map((request, at) => ({
      ...request,
      closed: before[at],
      known: known[at] ?? [],
      shared: shared[at] ?? [],
    })),
    async ({ subjectRecord, closed, subjectHash: _, connections: _connections, ...rest }): Promise<Draft> => ({
      ...rest,
      subjectVersion: subjectRecord.version,
      earlier: closed === undefined ? undefined : await earlierOf(closed),
    }),
  );
  return {
    drafts: drafting.done,
    settlements: [...opening.settlements, ...reading.settlements, ...drafting.settlements],
  };
}

async function opened(context: Context, step: Step, hash: Hash): Promise<Opened> {
  const id = requestOf(step);
  // Written by `record` and by nobody else, as what is sealed proves.
  const record = JSON.parse(hash.d ?? "{}") as RequestRecord;
  const wrapped = hash.k ?? "";
  const key = await context.keys.unwrap(`request ${id}`, wrapped);
  const given = JSON.parse(await key.open(`request ${id} identities`, hash.s ?? "")) as KnownIdentity[];
  const indexes = await Promise.all(given.map((identity) => context.keys.pseudonym("index", identity)));
  return { step, hash, record, key, wrapped, given, indexes };
}

/**
 * A request that continues another, or a holder's report that it erased something itself, is about what it came with: one of
 * two customers deleted at a vendor says nothing of the other.
 */
function knownOf(
  { record, given }: Pick<Opened, "record" | "given">,
  subject: SubjectRecord,
): readonly KnownIdentity[] {
  const isNarrow = record.authority === "here" && record.type !== "revocation";
  if (record.continues !== undefined || isNarrow) return given;
  // The end of one grant at a vendor is not the end of another that the person has there.
  const isOne = record.type === "revocation" && given.some(({ subprocessor }) => subprocessor === (record.scope ?? ""));
  const fresh = subject.known
    .filter((identity) => !given.some((each) => sameIdentity(each, identity)))
    .filter(({ subprocessor }) => !isOne || subprocessor !== record.scope);
  return [...given, ...fresh.map(({ field: _, ...identity }) => identity)];
}

const withConnections = (
  known: readonly KnownIdentity[],
  connections: readonly KnownIdentity[],
): readonly KnownIdentity[] => [
  ...known,
  ...connections.filter((connection) => !known.some((each) => sameIdentity(each, connection))),
];

/**
 * The connections of the vendor accounts that requests came with, whosever they are: a platform that ends an account's grant ends it
 * for each who has connected that account. What was connected after a signal's time is not what it tells of.
 */
async function connectionsNamed(
  ports: Pick<Ports, "store" | "integrations">,
  { tenant }: Context,
  requests: readonly Opened[],
): Promise<readonly (readonly KnownIdentity[])[]> {
  const grants = (subprocessor: string | undefined): subprocessor is string => {
    const oauth = ports.integrations.get(tenant.subprocessors[subprocessor ?? ""]?.integration ?? "")?.oauth;
    return oauth !== undefined && !isAbsent(oauth);
  };
  const named = requests.flatMap(({ given, indexes }, at) =>
    given.flatMap(({ subprocessor }, index) =>
      grants(subprocessor) ? [{ at, subprocessor, pseudonym: indexes[index] ?? "" }] : [],
    ),
  );
  const members = await ports.store.ofAccounts(
    tenant.n,
    named.map(({ pseudonym }) => pseudonym),
  );
  const found = named.flatMap(({ at, subprocessor }, index) =>
    (members[index] ?? []).flatMap((member) => {
      const [of, id = ""] = member.split(" ");
      return of === subprocessor ? [{ at, subprocessor, id }] : [];
    }),
  );
  const hashes = await ports.store.connections(found.map(({ id }) => ({ n: tenant.n, id })));
  const live = found.filter(({ at }, index) => {
    const signalAt = requests[at]?.record.signal_at;
    const connectedAt = Number(hashes[index]?.at);
    return hashes[index]?.st !== undefined && (signalAt === undefined || connectedAt <= Date.parse(signalAt));
  });
  return requests.map((_, at) =>
    live.filter((each) => each.at === at).map(({ id, subprocessor }) => connectionIdentity(id, subprocessor)),
  );
}

type Stranger = { readonly at: number; readonly identities: readonly Identity[] };

type Closed = { readonly id: string; readonly record: string };

/** The closed erasures that those went with of whom nothing is known. */
async function erasedBefore(
  ports: Ports,
  context: Context,
  requests: readonly (Opened & { readonly subject: string | undefined; readonly subjectHash: Hash })[],
): Promise<readonly (Closed | undefined)[]> {
  const strangers = requests.flatMap(({ record, subject, given }, at): Stranger[] =>
    subject === undefined && given.length > 0 && record.continues === undefined ? [{ at, identities: given }] : [],
  );
  const suppressed = await suppressedBy(ports, context, strangers);
  const ids = requests.map(({ subjectHash }, at) => subjectHash.gone ?? suppressed.get(at));
  const parsed = [...new Set(ids)].flatMap((id) => (id === undefined ? [] : (parseRequestId(id) ?? [])));
  const hashes = await ports.store.load(parsed);
  const closed = new Map(
    parsed.flatMap(({ id }, index): [string, Closed][] => {
      const record = hashes[index]?.c;
      return record === undefined ? [] : [[id, { id, record }]];
    }),
  );
  return ids.map((id) => (id === undefined ? undefined : closed.get(id)));
}

/** How each task of a closed erasure ended, as its receipt says. */
async function earlierOf({ id, record }: Closed): Promise<Earlier> {
  const { tasks } = receiptIn(await expand(closedRecord(record).packed));
  const ended = tasks.map(
    ({ id: task, outcome, retained }): [string, { outcome: string; retained?: readonly Kept[] }] => [
      task,
      { outcome, ...(retained !== undefined && { retained }) },
    ],
  );
  return { request: id, ended: new Map(ended) };
}

/** The erasure by which all that a person is named by is suppressed. */
async function suppressedBy(
  ports: Ports,
  { tenant, keys }: Context,
  strangers: readonly Stranger[],
): Promise<ReadonlyMap<number, string>> {
  const lookups = await Promise.all(
    strangers.flatMap(({ at, identities }) =>
      identities.map(async (identity) => ({ at, pseudonym: await keys.pseudonym("suppression", identity) })),
    ),
  );
  const entries = await ports.store.suppressed(
    tenant.n,
    lookups.map(({ pseudonym }) => pseudonym),
  );
  const by = new Map<number, string | undefined>();
  lookups.forEach(({ at }, index) => {
    const request = /^erased (\S+)/.exec(entries[index] ?? "")?.[1];
    by.set(at, by.has(at) && by.get(at) === undefined ? undefined : request);
  });
  return new Map([...by].flatMap(([at, request]) => (request === undefined ? [] : [[at, request] as const])));
}
