import type { ActionName } from "../contract/integration.ts";
import type { Kept } from "../contract/outcome.ts";
import type { Hash } from "../platform/store/requests.ts";

/** How a task ended; `unresolved` is a person's or the policy's word, never a holder's. */
export type EndOutcome =
  | "erased"
  | "revoked"
  | "not_found"
  | "retained"
  | "stopped"
  | "informed"
  | "refused"
  | "manual_done"
  | "unresolved";

/** What the outcome rests on (the levels of a receipt; a level is never lifted by assumption). */
export type Level = "revoked" | "deleted_reported" | "verified_absent" | "retained" | "attested" | "failed" | "pending";

export type ReadBack = "all" | "part" | "none";

/** One answered call, without anything personal in it. */
export type Evidence = {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number;
  readonly vendor_request_id?: string;
  readonly at: string;
  /** SHA-256 of the receipt's salt and the answer's body, base64url, 72 bits. */
  readonly digest?: string;
};

type Common = {
  readonly id: string;
  readonly subprocessor: string;
  readonly integration: string;
  readonly action: ActionName | "manual";
  readonly scope?: string;
  readonly attempts: number;
  readonly due_at: string;
};

/** A task that waits for others, is in its lane, has been accepted by the holder, or waits for a person. */
export type OpenTask = Common & {
  readonly state: "waiting" | "queued" | "accepted" | "manual" | "stuck";
  /** Why it is where it is and what to do about it, in plain words. */
  readonly reason?: string;
  readonly instructions?: string;
};

export type EndedTask = Common & {
  readonly state: "ended";
  readonly outcome: EndOutcome;
  readonly level: Level;
  readonly ended_at: string;
  readonly retained?: readonly Kept[];
  /** Of what the holder says that it erased, how much was looked for later and not found. */
  readonly read_back?: ReadBack;
  readonly evidence?: readonly Evidence[];
  readonly reason?: string;
  /** The earlier request in whose receipt this person's erasure here stands. */
  readonly see?: string;
  /** Who ended it, when a person did. */
  readonly by?: string;
  /** What is owed at a later day, sealed under the request's key until the close gives it a key of its own. */
  readonly residue?: { readonly sealed: string; readonly dueAt: string };
};

export type Task = OpenTask | EndedTask;

export type TaskView = Omit<EndedTask, "state" | "outcome" | "level" | "ended_at" | "residue"> & {
  readonly state: OpenTask["state"] | "in_flight" | "ended";
  readonly outcome?: EndOutcome;
  readonly level?: Level;
  readonly ended_at?: string;
  readonly instructions?: string;
};

/** What callers see of a task: all but what is sealed. */
export function taskView(task: Task, inFlight = false): TaskView {
  if (task.state === "ended") {
    const { residue: _, ...shown } = task;
    return shown;
  }
  return inFlight && task.state === "queued" ? { ...task, state: "in_flight" } : task;
}

/** Ends that leave nothing behind but what is named: only these make a request complete. */
export const isComplete = (tasks: readonly Task[]): boolean =>
  tasks.length > 0 &&
  tasks.every((task) => task.state === "ended" && task.outcome !== "unresolved" && task.outcome !== "refused");

/** The tasks of a request, as its hash holds them. */
export const tasksOf = (hash: Hash): readonly Task[] =>
  Object.entries(hash)
    .filter(([name]) => name.startsWith("t:"))
    .map(([name, text]): Task => {
      // Written by `start` and by settlements, and by nobody else.
      const task = JSON.parse(text) as Task;
      // What it waited for has ended, and it lies in its lane.
      if (task.state !== "waiting" || hash[`w:${name.slice(2)}`] !== undefined) return task;
      const { reason: _, ...rest } = task;
      return { ...rest, state: "queued" };
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
