import { parseRequestId, type RequestId, tenantNumber } from "../../src/ids.ts";
import { laneName } from "../../src/platform/keys.ts";
import type { Claimed, Freed, Settlement } from "../../src/platform/store/lanes.ts";
import type { Change, Link } from "../../src/platform/store/registry.ts";
import type { Closing, NewRequest, NewTask, Opening } from "../../src/platform/store/requests.ts";
import type { Store } from "../../src/platform/store.ts";
import type { Tenant } from "../../src/registry/tenant.ts";
import { Policy } from "../../src/request/policy.ts";

export const n = tenantNumber(1);
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** A full hour. */
export const NOW = 1_790_000_400_000 - (1_790_000_400_000 % HOUR);
export const LEASE = 2 * MINUTE;
export const KEEP = 1000 * DAY;

export const gateway = laneName(n, "gateway");
export const alpha = laneName(n, "alpha");
export const beta = laneName(n, "beta");

/** A request's id as the product would spell it. */
export function idOf(name: string): RequestId {
  const parsed = parseRequestId(`req_11${name.padEnd(32, "z")}`);
  if (parsed === undefined) throw new Error(`no request can be called ${name}`);
  return parsed.id;
}

export const ONE = idOf("one");
export const TWO = idOf("two");

export const tenant: Tenant = {
  n,
  slug: "acme",
  name: "Acme",
  root: "wrapped root",
  policy: Policy.parse({}),
  policyVersion: 1,
  subprocessors: {},
  apiKeys: [],
  holds: [],
  status: "active",
};

export const change: Change = { at: "2026-09-21T14:00:00.000Z", by: "admin", what: "tenant created" };

/** Gives the tenant its first version. */
export const founded = (store: Store): Promise<boolean> => store.change(n, "", tenant, change);

/** Whatever is sealed says so, and for which request, so that a dump can be searched for it. */
export const request = (id: RequestId, more: Partial<NewRequest> = {}): NewRequest => ({
  n,
  version: "1",
  now: NOW,
  id,
  identities: [],
  signalAt: 0,
  echoOf: "",
  heeds: "",
  restores: "",
  restoredAt: 0,
  here: false,
  noteOnly: false,
  startAt: NOW,
  watchAt: NOW + 20 * DAY,
  deadline: NOW + 30 * DAY,
  digest: "digest",
  fields: { d: `document of ${id}`, k: `wrapped key of ${id}`, s: `sealed identities of ${id}` },
  ...more,
});

export const task = (id: string, more: Partial<NewTask> = {}): NewTask => ({
  id,
  document: `planned ${id}`,
  what: "order",
  subprocessor: id.slice(0, id.indexOf(".")),
  payload: `sealed payload of ${id}`,
  waits: [],
  ...more,
});

type Held = { readonly token: string; readonly attempt: number };

export const opening = (
  id: RequestId,
  held: Held,
  tasks: readonly NewTask[],
  more: Partial<Opening> = {},
): Opening => ({
  n,
  version: "1",
  now: NOW,
  token: held.token,
  attempt: held.attempt,
  id,
  subject: `none-${id}`,
  subjectVersion: "",
  deadline: NOW + 30 * DAY,
  fields: {},
  suppressions: [],
  connections: [],
  tasks,
  ...more,
});

export const closing = (id: RequestId, held: Held, more: Partial<Closing> = {}): Closing => ({
  n,
  now: NOW,
  token: held.token,
  attempt: held.attempt,
  id,
  keepMs: KEEP,
  leaf: `leaf of ${id}`,
  compact: `receipt of ${id}`,
  subject: `none-${id}`,
  subjectVersion: "",
  erasesSubject: false,
  identities: [],
  forgets: [],
  residues: [],
  notices: [],
  ...more,
});

export const link = (subject: string, more: Partial<Link> = {}): Link => ({
  n,
  subject,
  now: NOW,
  wrapped: `wrapped key of ${subject}`,
  lifts: false,
  identities: [],
  fields: {},
  ...more,
});

/** Claims what is ready in a lane; none gives none. */
export async function claimed(
  store: Store,
  lane: string,
  token: string,
  { now = NOW, most = 50 }: { readonly now?: number; readonly most?: number } = {},
): Promise<readonly Claimed[]> {
  const { claim } = await store.settleAndClaim(
    lane,
    undefined,
    { token, most, leaseUntil: now + LEASE, run: "run" },
    now,
  );
  return claim?.state === "batch" ? claim.orders : [];
}

/** Claims one order that has to be there. */
export async function claimedOne(
  store: Store,
  lane: string,
  id: string,
  token: string,
  now: number = NOW,
): Promise<Claimed & Held> {
  const orders = await claimed(store, lane, token, { now });
  const order = orders.find((each) => each.id === id);
  if (order === undefined) throw new Error(`${id} is not ready in ${lane}: ${orders.map((each) => each.id).join(" ")}`);
  return { ...order, token };
}

/** Records a request and starts it with these tasks. */
export async function opened(
  store: Store,
  id: RequestId,
  tasks: readonly NewTask[],
  more: Partial<Opening> = {},
): Promise<readonly string[]> {
  await store.record([request(id)]);
  const start = await claimedOne(store, gateway, `start:${id}`, `starts-${id}`);
  const [done] = await store.open([opening(id, start, tasks, more)]);
  if (done?.result !== "open") throw new Error(`${id} does not open: ${done?.result}`);
  return done.woken;
}

/** An open request all of whose tasks have ended, and its close, claimed. */
export async function closable(
  store: Store,
  id: RequestId,
  more: Partial<Opening> = {},
  tasks: readonly NewTask[] = [task("alpha.erase", { what: "ended", document: "ended" })],
): Promise<Held> {
  await opened(store, id, tasks, more);
  return claimedOne(store, gateway, `close:${id}`, `closes-${id}`);
}

const settlement = (id: RequestId, taskId: string, attempt: number, document: string) => ({
  id: `${id}/${taskId}`,
  attempt,
  task: { request: id, id: taskId, document },
  deadline: NOW + 30 * DAY,
});

export const ends = (
  id: RequestId,
  taskId: string,
  attempt: number,
  more: { readonly learned?: string; readonly frees?: readonly Freed[]; readonly document?: string } = {},
): Settlement => ({
  ...settlement(id, taskId, attempt, more.document ?? `ended ${taskId}`),
  what: "end",
  learned: more.learned ?? "",
  frees: more.frees ?? [],
});

export const goesBack = (
  id: RequestId,
  taskId: string,
  attempt: number,
  { due = NOW, cursor = "" }: { readonly due?: number; readonly cursor?: string } = {},
): Settlement => ({ ...settlement(id, taskId, attempt, `again ${taskId}`), what: "back", due, cursor });

export const parks = (id: RequestId, taskId: string, attempt: number, cursor = ""): Settlement => ({
  ...settlement(id, taskId, attempt, `stuck ${taskId}`),
  what: "park",
  cursor,
});

export const drops = (order: string, attempt: number): Settlement => ({
  id: order,
  attempt,
  deadline: 0,
  what: "drop",
});
