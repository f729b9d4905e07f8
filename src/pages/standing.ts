import type { Kept } from "../contract/outcome.ts";
import type { Instant } from "../ids.ts";
import type { RequestView } from "../request/request.ts";
import type { TaskView } from "../request/task.ts";

/**
 * How a request stands, as a person would say it. `held`: somebody checks it first. `late`: open after its deadline.
 * `kept`: finished, and something is kept. `lapsed`: finished, and the time for which something was kept is over, which
 * is not proof that it went. `partly`: closed, and not everything was done.
 */
export type Standing =
  | "held"
  | "scheduled"
  | "working"
  | "late"
  | "finished"
  | "kept"
  | "lapsed"
  | "partly"
  | "cancelled";

export function standingOf(view: RequestView, now: Instant): Standing {
  switch (view.status) {
    case "cancelled":
      return "cancelled";
    case "scheduled":
      return view.held === undefined ? "scheduled" : "held";
    case "open":
      return now > Date.parse(view.due_at) ? "late" : "working";
    case "closed":
      return view.complete ? completed(view, now) : "partly";
  }
}

function completed({ tasks }: RequestView, now: Instant): Standing {
  const keeping = tasks.filter(keeps);
  if (keeping.length === 0) return "finished";
  return keeping.every(({ retained = [] }) => retained.length > 0 && retained.every((kept) => isOver(kept, now)))
    ? "lapsed"
    : "kept";
}

/** An erasure may have been confirmed and something still be kept beside it. */
export const keeps = ({ outcome, retained }: RequestView["tasks"][number]): boolean =>
  outcome === "retained" || (retained !== undefined && retained.length > 0);

/** A legal hold ends when it is lifted; its date is only the day of its review. */
export const isOver = ({ until, ground }: Kept, now: Instant): boolean =>
  ground !== "legal_hold" && Date.parse(until) < now;

/** Whether a step is about what was published in the person's own account; one by hand has that in its id alone. */
export const isPublication = ({ id }: Pick<TaskView, "id">): boolean => id.split(".")[1] === "unpublish";

/** Where only the person, in their own account, can delete what was published there. */
export const ownTurn = (tasks: readonly TaskView[]): readonly TaskView[] =>
  tasks.filter((task) => isPublication(task) && (task.state === "stuck" || task.state === "manual"));
