import type { TaskView } from "../request/task.ts";
import { HolderList } from "./holder-list.tsx";
import type { Names } from "./name.ts";
import { isPublication } from "./standing.ts";

/** What has not ended yet, and whose turn it is. Why a step waits is for the company to know and to mend. */
export const OpenSteps = ({ tasks, names }: { readonly tasks: readonly TaskView[]; readonly names: Names }) => (
  <HolderList
    id="open"
    tone="calm"
    heading="What is still open"
    entries={tasks.flatMap(({ state, ...task }) =>
      state === "ended"
        ? []
        : [
            {
              holder: names.holder(task),
              says: (
                <p>
                  {aims[isPublication(task) ? "unpublish" : task.action]}: {turn(state, names.controller)}
                </p>
              ),
            },
          ],
    )}
  />
);

const aims: Readonly<Record<TaskView["action"], string>> = {
  erase: "Erasure",
  unpublish: "Deletion of what was published in your account",
  revoke: "End of the access",
  manual: "A step by hand",
};

function turn(state: Exclude<TaskView["state"], "ended">, controller: string): string {
  switch (state) {
    case "waiting":
      return "waiting until another step has ended.";
    case "queued":
      return "waiting for its turn.";
    case "in_flight":
      return "in work right now.";
    case "accepted":
      return "in work; the request was accepted here.";
    case "manual":
      return `needs a person at ${controller} to do it.`;
    case "stuck":
      return `needs a person at ${controller} to look at it.`;
  }
}
