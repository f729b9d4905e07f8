import type { Child } from "hono/jsx";
import type { Kept } from "../contract/outcome.ts";
import type { Instant } from "../ids.ts";
import type { TaskView } from "../request/task.ts";
import { Day } from "./day.tsx";
import { explained } from "./ground.ts";
import { HolderList } from "./holder-list.tsx";
import type { Names } from "./name.ts";
import { isOver, keeps } from "./standing.ts";

type Props = { readonly tasks: readonly TaskView[]; readonly names: Names; readonly now: Instant };

/** What is kept, by whom, until which day and why, and what happens on that day. */
export const KeptData = ({ tasks, names, now }: Props) => (
  <HolderList
    id="kept"
    tone="keep"
    heading="What is kept"
    intro={
      <p>
        When its time is over, what is kept goes without you asking: the one who keeps it erases it by itself, or{" "}
        {names.controller} has it erased then, in a new request with a receipt of its own.
      </p>
    }
    entries={tasks.filter(keeps).map((task) => ({ holder: names.holder(task), says: says(task, names, now) }))}
  />
);

function says({ retained = [] }: TaskView, { controller }: Names, now: Instant): Child {
  if (retained.length === 0) return <p>Data is kept here. {controller} can tell you which, why and until when.</p>;
  const soonest = retained.toSorted((a, b) => Date.parse(a.until) - Date.parse(b.until));
  return (
    <ul>
      {soonest.map((kept) => (
        <li>
          <p>
            <strong>{named(kept.category)}</strong>, {until(kept, now)}
          </p>
          <Reason ground={kept.ground} />
        </li>
      ))}
    </ul>
  );
}

/** Codes such as `billing_records` are the words that people use, written together. */
function named(category: string): string {
  if (category === "all") return "The data held here";
  const words = category.replaceAll("_", " ");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

function until(kept: Kept, now: Instant): Child {
  const day = <Day at={kept.until} />;
  if (kept.ground === "legal_hold")
    return <>kept until the legal hold is lifted; the hold is to be reviewed on {day}.</>;
  return isOver(kept, now) ? <>was kept until {day} and was due to go then.</> : <>kept until {day}.</>;
}

const Reason = ({ ground }: { readonly ground: string }) => {
  const { why, law } = explained(ground);
  return (
    <p class="soft">
      Why: {why}
      {law === undefined ? null : <> ({law})</>}.
    </p>
  );
};
