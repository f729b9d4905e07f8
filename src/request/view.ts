import { type RequestId, statusCode } from "../ids.ts";
import { laneName } from "../platform/keys.ts";
import { orderId } from "../platform/store/lanes.ts";
import type { Hash } from "../platform/store/requests.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { closedRecord, expand, receiptIn } from "./compact.ts";
import type { SupersededBy } from "./generation.ts";
import { closedView } from "./receipt.ts";
import type { Entry } from "./record.ts";
import { openView, type RequestRecord, type RequestStatus, type RequestView } from "./request.ts";
import type { Shortage } from "./shortage.ts";
import { type Task, tasksOf } from "./task.ts";

export const isStatus = (text: string | undefined): text is RequestStatus =>
  text === "scheduled" || text === "open" || text === "closed" || text === "cancelled";

const isSupersededBy = (text: string | undefined): text is SupersededBy => text === "connection" || text === "restored";

/** A request as the API shows it, from what lies in the store. One round trip when it is closed, two while it is open. */
export async function viewOf(ports: Ports, context: Context, id: RequestId): Promise<RequestView | undefined> {
  const [hash = {}] = await ports.store.load([{ n: context.tenant.n, id }]);
  return viewIn(ports, context, id, hash);
}

/** The same of what has just been recorded: it need not be read again. */
export const viewOfEntry = (ports: Ports, context: Context, { id, recorded, hash }: Entry) =>
  recorded.result === "recorded" ? viewIn(ports, context, id, hash) : viewOf(ports, context, id);

async function viewIn(ports: Ports, context: Context, id: RequestId, hash: Hash): Promise<RequestView | undefined> {
  if (hash.st === "noted") return notedView(context, id, hash);
  if (!isStatus(hash.st)) return undefined;
  const statusUrl = `${ports.origin}/status/${await statusCode(context.keys, id)}`;
  if (hash.c !== undefined) return closedView(receiptIn(await expand(closedRecord(hash.c).packed)), statusUrl);
  if (hash.d === undefined) return undefined;
  // Written by `record` and `start`, and by nobody else.
  const record = JSON.parse(hash.d) as RequestRecord;
  const tasks = tasksOf(hash);
  const open = tasks.filter(({ state }) => state === "queued");
  const places = await ports.store.look(
    open.map((task) => ({ lane: laneName(context.tenant.n, task.subprocessor), id: orderId(id, task.id) })),
  );
  const inFlight = new Set(open.filter((_, index) => places[index] === "in_flight").map((task) => task.id));
  // A request whose time has come is open, even in the moment before its start has been worked.
  const due = hash.st === "scheduled" && hash.held === undefined && Date.parse(record.start_at) <= ports.now();
  const view = openView(context.tenant.slug, record, due ? "open" : hash.st, tasks, {
    inFlight,
    alarms: hash.al === undefined ? [] : hash.al.split(" "),
    warnings: warningsIn(hash, tasks),
    ...(hash.held !== undefined && { held: hash.held }),
    ...(isSupersededBy(hash.by) && { supersededBy: hash.by }),
  });
  return { ...view, status_url: statusUrl, ...(hash.in !== undefined && { receipt: `/v1/receipts/${id}` }) };
}

/** What stood in the way of a task that has ended stands there no more. */
function warningsIn({ sh }: Hash, tasks: readonly Task[]): readonly Shortage[] {
  if (sh === undefined) return [];
  const open = new Set(tasks.flatMap(({ id, state }) => (state === "ended" ? [] : [id])));
  // Written by `start`, and by nobody else.
  return (JSON.parse(sh) as Shortage[]).filter(({ task }) => open.has(task));
}

/** A delivery that was answered and caused nothing: whoever follows its link sees so. */
function notedView({ tenant }: Context, id: RequestId, hash: Hash): RequestView {
  const at = new Date(Number(hash.at)).toISOString();
  return {
    id,
    tenant: tenant.slug,
    type: "erasure",
    source: "",
    status: "closed",
    complete: false,
    received_at: at,
    due_at: at,
    closed_at: at,
    noted: hash.note ?? "recorded",
    ...(isSupersededBy(hash.by) && { superseded_by: hash.by }),
    tasks: [],
  };
}
