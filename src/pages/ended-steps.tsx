import type { Child } from "hono/jsx";
import type { EndOutcome, TaskView } from "../request/task.ts";
import { OnDay } from "./day.tsx";
import { HolderList } from "./holder-list.tsx";
import type { Names } from "./name.ts";
import { isPublication, keeps } from "./standing.ts";

type Props = {
  readonly tasks: readonly TaskView[];
  readonly names: Names;
  readonly outcomes: readonly Exclude<EndOutcome, "retained">[];
  readonly tone: "good" | "warn" | "still";
  readonly heading: string;
};

/** The holders where steps ended in one way: what each said or what was found there, and when. */
export const EndedSteps = ({ tasks, names, outcomes, tone, heading }: Props) => (
  <HolderList
    id={outcomes.join("-")}
    tone={tone}
    heading={heading}
    entries={tasks.flatMap((task) => {
      const outcome = outcomes.find((each) => each === task.outcome);
      return outcome === undefined
        ? []
        : [{ holder: names.holder(task), says: <p>{sentence(outcome, task, names)}</p> }];
    })}
  />
);

/** A level of proof is said as it is: what somebody stated is never said as if it had been seen. */
function sentence(outcome: Props["outcomes"][number], task: TaskView, names: Names): Child {
  const { controller } = names;
  const on = <OnDay at={task.ended_at} />;
  const stated = task.by !== undefined;
  switch (outcome) {
    case "erased":
      return (
        <>
          {erasure(task, on, controller)}
          {keeps(task) ? " Something is kept beside it; see “What is kept” below." : null}
        </>
      );
    case "revoked":
      if (stated) return said(controller, on, "the access has been ended");
      return task.scope === undefined || task.scope === task.subprocessor ? (
        <>
          The access that {controller} had here was ended{on}.
        </>
      ) : (
        <>
          Confirmed{on} that the access through {names.holder({ subprocessor: task.scope })} is ended here too.
        </>
      );
    case "stopped":
      return stated ? said(controller, on, "your data is no longer used here") : <>Your data is no longer used{on}.</>;
    case "manual_done":
      return (
        <>
          A person at {controller} dealt with this{on}.
        </>
      );
    case "informed":
      return <>Was told of the request{on}.</>;
    case "not_found":
      if (isPublication(task) && !stated)
        return (
          <>
            What {controller} had published in your account was gone already{on}.
          </>
        );
      if (task.see !== undefined) return <>What was here was erased before, at an earlier request of yours.</>;
      if (stated) return said(controller, on, "nothing was found here");
      return task.level === "attested" ? (
        <>
          {controller} keeps a list of what it places here. Nothing of yours was on it{on}.
        </>
      ) : (
        <>Asked{on}; nothing was there under the details that were known.</>
      );
    case "refused":
      return (
        <>
          This was refused{on}. You have a right to know why: ask {controller}.
        </>
      );
    case "unresolved":
      return (
        <>
          This was ended{on} without a result. It is not known whether data about you is still here; {controller} can
          tell you more.
        </>
      );
  }
}

function erasure(task: TaskView, on: Child, controller: string): Child {
  if (task.by !== undefined) return said(controller, on, "this has been erased");
  if (isPublication(task))
    return task.level === "verified_absent" ? (
      <>
        What {controller} had published in your account was deleted. A later look{on} found it gone.
      </>
    ) : (
      <>
        What {controller} had published in your account was deleted; that was confirmed{on}.
      </>
    );
  return task.level === "verified_absent" ? (
    <>Erased. A later look{on} found it gone.</>
  ) : (
    <>The erasure was confirmed{on}.</>
  );
}

const said = (controller: string, on: Child, what: string): Child => (
  <>
    {controller} stated{on} that {what}.
  </>
);
