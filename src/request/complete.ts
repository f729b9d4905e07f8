import type { Kept } from "../contract/outcome.ts";
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

/** What such a word is worth in a receipt: what somebody states is never lifted to what was seen. */
const levels: Readonly<Record<EndOutcome, Level>> = {
  erased: "deleted_reported",
  revoked: "revoked",
  not_found: "attested",
  retained: "retained",
  stopped: "deleted_reported",
  informed: "attested",
  refused: "failed",
  manual_done: "attested",
  unresolved: "failed",
};

/** Ends an open task by hand. A runner that is at it comes too late and changes nothing. */
export async function endByHand(
  ports: Ports,
  { tenant }: Context,
  record: RequestRecord,
  hash: Hash,
  task: OpenTask,
  end: HandEnd,
): Promise<Settled> {
  const now = ports.now();
  const { reason: _, instructions: __, ...base } = task;
  const ended: EndedTask = { ...base, ...end, state: "ended", level: levels[end.outcome], ended_at: rfc3339(now) };
  const settled = await ports.store.byHand(
    laneName(tenant.n, task.subprocessor),
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

/** The tasks of the request that wait for this one. */
export const waitingFor = (hash: Hash, task: string) =>
  Object.entries(hash)
    .filter(([name, waits]) => name.startsWith("w:") && waits.split(" ").includes(task))
    .map(([name]) => {
      const waiting = name.slice(2);
      return { task: waiting, subprocessor: waiting.slice(0, waiting.indexOf(".")) };
    });
