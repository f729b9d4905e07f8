import type { Kept } from "../contract/outcome.ts";
import { type Cursor, cursorPlace, keptOf, residueOf } from "../lanes/order.ts";
import { laneName } from "../platform/keys.ts";
import { orderId, type Settled } from "../platform/store/lanes.ts";
import type { Hash } from "../platform/store/requests.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { rfc3339 } from "./deadline.ts";
import type { RequestRecord } from "./request.ts";
import type { EndedTask, EndOutcome, Level, OpenTask } from "./task.ts";

/** A person's (or the policy's) word on how a task ended: who, and why. */
export type HandEnd = {
  readonly outcome: EndOutcome;
  readonly by: string;
  readonly reason: string;
  readonly retained?: readonly Kept[];
};

/**
 * What such a word is worth in a receipt. Only the holder that accepted the work can say that it is done; what anybody else
 * states is attested, and never lifted to what was seen.
 */
function levelOf(outcome: EndOutcome, task: OpenTask): Level {
  if (outcome === "unresolved" || outcome === "refused") return "failed";
  if (outcome === "retained") return "retained";
  if (task.state !== "accepted") return "attested";
  return outcome === "revoked" ? "revoked" : "deleted_reported";
}

/**
 * Ends an open task by hand. A runner that is at it comes too late and changes nothing; what the task had found out to be
 * kept and owed until then stays kept, and owed.
 */
export async function endByHand(
  ports: Ports,
  context: Context,
  record: RequestRecord,
  hash: Hash,
  task: OpenTask,
  end: HandEnd,
): Promise<Settled> {
  const { tenant } = context;
  const now = ports.now();
  const lane = laneName(tenant.n, task.subprocessor);
  const found = await foundSoFar(ports, context, record, hash, lane, task.id);
  const { reason: _, instructions: __, ...base } = task;
  const retained = [...(end.retained ?? []), ...found.kept];
  const ended: EndedTask = {
    ...base,
    ...end,
    ...(retained.length > 0 && { retained }),
    ...(found.residue !== undefined && { residue: found.residue }),
    state: "ended",
    level: levelOf(end.outcome, task),
    ended_at: rfc3339(now),
  };
  const settled = await ports.store.byHand(
    lane,
    {
      id: orderId(record.id, task.id),
      attempt: 0,
      task: { request: record.id, id: task.id, document: JSON.stringify(ended) },
      deadline: Date.parse(record.due_at),
      what: "end",
      learned: "",
      frees: waitingFor(hash, task.id),
    },
    now,
  );
  ports.log("task_ended_by_hand", { tenant: tenant.slug, request: record.id, task: task.id, outcome: end.outcome });
  return settled;
}

async function foundSoFar(
  ports: Ports,
  { keys }: Context,
  record: RequestRecord,
  hash: Hash,
  lane: string,
  task: string,
): Promise<{ readonly kept: readonly Kept[]; readonly residue: EndedTask["residue"] }> {
  const order = await ports.store.order(lane, orderId(record.id, task));
  if (order === undefined || order.cursor === "" || hash.k === undefined) return { kept: [], residue: undefined };
  const key = await keys.unwrap(`request ${record.id}`, hash.k);
  // Sealed by `run` and by nobody else, as the seal itself proves.
  const cursor = JSON.parse(await key.open(cursorPlace(record.id, task), order.cursor)) as Cursor;
  return { kept: keptOf(cursor), residue: await residueOf(key, record.id, task, cursor) };
}

/** The tasks of the request that wait for this one. */
export const waitingFor = (hash: Hash, task: string) =>
  Object.entries(hash)
    .filter(([name, waits]) => name.startsWith("w:") && waits.split(" ").includes(task))
    .map(([name]) => {
      const waiting = name.slice(2);
      return { task: waiting, subprocessor: waiting.slice(0, waiting.indexOf(".")) };
    });
