import type { Child } from "hono/jsx";
import { type SupersededBy, senderOf } from "../request/generation.ts";
import type { RequestView } from "../request/request.ts";
import { Day } from "./day.tsx";
import type { Names } from "./name.ts";
import { ownTurn, type Standing } from "./standing.ts";

type Props = { readonly view: RequestView; readonly names: Names; readonly standing: Standing };

/** How the whole request stands, in a few words and in a few sentences. */
export const OverallState = ({ view, names, standing }: Props) => (
  <section class={`standing ${tones[standing]}`} aria-labelledby="standing">
    <h2 id="standing">{headlines[standing]}</h2>
    {sentences(standing, view, names)}
  </section>
);

export const headlines: Readonly<Record<Standing, string>> = {
  held: "Waiting for a check",
  scheduled: "Scheduled",
  working: "Being worked on",
  late: "Late, and still being worked on",
  finished: "Finished",
  kept: "Finished, except for what is kept",
  lapsed: "Finished",
  partly: "Not everything could be done",
  cancelled: "Cancelled",
};

const tones: Readonly<Record<Standing, "good" | "calm" | "keep" | "warn" | "still">> = {
  held: "calm",
  scheduled: "calm",
  working: "calm",
  late: "warn",
  finished: "good",
  kept: "keep",
  lapsed: "good",
  partly: "warn",
  cancelled: "still",
};

function sentences(standing: Standing, view: RequestView, names: Names): Child {
  const { controller } = names;
  switch (standing) {
    case "held":
      return (
        <>
          <p>Nothing has been done yet. Before the work begins, a person at {controller} checks the request.</p>
          <p>
            This does not change the day by which it is to be finished: <Day at={view.due_at} />.
          </p>
        </>
      );
    case "scheduled":
      return <Scheduled view={view} controller={controller} />;
    case "working":
      return (
        <>
          <p>{progress(view)}</p>
          <p>
            It is to be finished by <Day at={view.due_at} />.{" "}
            {ownTurn(view.tasks).length === 0
              ? "You do not have to do anything."
              : `What ${controller} published in your own account at ${ownTurn(view.tasks).map(names.holder).join(" and ")} could not be deleted for you. You can delete it there yourself, and tell ${controller} that you have.`}
          </p>
        </>
      );
    case "late":
      return (
        <>
          <p>
            This was to be finished by <Day at={view.due_at} />, and it is not. {progress(view)} The work goes on.
          </p>
          <p>You can ask {controller} for the reason.</p>
        </>
      );
    case "finished":
      return view.tasks.every(({ outcome }) => outcome === "not_found") ? (
        <p>The search is finished. Nothing was found under the details that were known.</p>
      ) : (
        <p>Every step is finished. Below you can see what was done, and where.</p>
      );
    case "kept":
      return (
        <p>
          Every step is finished, but some data is kept for now. Below you can see what is kept, why, and until when.
          You do not have to ask again.
        </p>
      );
    case "lapsed":
      return (
        <p>
          Every step is finished. Some data was kept for a time; that time is over, and what was kept was due to go
          then. Below you can see what it was.
        </p>
      );
    case "partly":
      return view.tasks.length === 0 ? (
        <p>The request is closed, and nothing was done: no place was found where it could be carried out.</p>
      ) : (
        <p>
          The request is closed, but a part of it was not done. Below you can see which. Do not take that part as
          erased;
          {` ${controller} `}can tell you more.
        </p>
      );
    case "cancelled":
      return <Cancelled view={view} names={names} />;
  }
}

const Scheduled = ({ view, controller }: { readonly view: RequestView; readonly controller: string }) => (
  <>
    <p>
      Nothing has been done yet. The request becomes final{" "}
      {view.start_at === undefined ? "when the work begins" : <BeginsOn at={view.start_at} />}.
    </p>
    <p>
      <strong>Changed your mind?</strong> Contact {controller} before then, and the request is stopped. What has been
      erased after that cannot be brought back.
    </p>
  </>
);

const Cancelled = ({ view, names }: { readonly view: RequestView; readonly names: Names }) => (
  <>
    {view.superseded_by === undefined ? null : <p>{whyCancelled(view.superseded_by, view, names)}</p>}
    <p>
      The request was stopped before the work began, so nothing has been erased or ended because of it. You can ask
      again at any time.
    </p>
  </>
);

function whyCancelled(by: SupersededBy, { source }: RequestView, { controller, holder }: Names): string {
  switch (by) {
    case "connection":
      return `It was about an earlier connection of yours to ${controller}. You have connected again since then, so the newer connection and what belongs to it are left as they are.`;
    case "restored": {
      const sender = holder({ subprocessor: senderOf(source) });
      return `It began because ${sender} told ${controller} that an account had been deleted. ${sender} says that the account was restored after that.`;
    }
  }
}

const BeginsOn = ({ at }: { readonly at: string }) => (
  <>
    on <Day at={at} />; the work begins then
  </>
);

function progress({ tasks }: RequestView): string {
  const done = tasks.filter(({ state }) => state === "ended").length;
  if (tasks.length === 0) return "The work is about to begin.";
  if (done === tasks.length) return "All steps have ended, and the result is being signed.";
  return `${done} of ${tasks.length} ${tasks.length === 1 ? "step has" : "steps have"} ended so far.`;
}
