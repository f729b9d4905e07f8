import type { Child } from "hono/jsx";
import type { RequestView } from "../request/request.ts";
import { Day } from "./day.tsx";
import type { Names } from "./name.ts";

/** What was asked for, when and how, and by when it is to be finished. */
export const RequestSummary = ({ view, names }: { readonly view: RequestView; readonly names: Names }) => (
  <section aria-labelledby="asked">
    <h2 id="asked">What was asked for</h2>
    <p>{wish(view, names)}</p>
    {view.continues === undefined ? null : (
      <p>
        This follows an earlier request. The time for keeping is over, so the erasure began without anyone asking again.
      </p>
    )}
    <dl>
      <Line what={view.continues === undefined ? "Received" : "Started"}>
        <Day at={view.received_at} />
      </Line>
      {view.start_at === undefined || view.held !== undefined ? null : (
        <Line what="Becomes final">
          <Day at={view.start_at} />
        </Line>
      )}
      {view.status === "cancelled" ? null : (
        <Line what={view.status === "closed" ? "Was to be finished by" : "To be finished by"}>
          <Day at={view.due_at} />
        </Line>
      )}
      {view.closed_at === undefined ? null : (
        <Line what="Closed">
          <Day at={view.closed_at} />
        </Line>
      )}
      {origin(view, names)}
      <Line what="Reference">
        <code>{view.id}</code>
      </Line>
    </dl>
  </section>
);

const Line = ({ what, children }: { readonly what: string; readonly children: Child }) => (
  <>
    <dt>{what}</dt>
    <dd>{children}</dd>
  </>
);

function wish({ type, tasks, continues }: RequestView, { controller, holder }: Names): string {
  switch (type) {
    case "erasure":
      return continues === undefined
        ? `Erasure of personal data for which ${controller} is responsible.`
        : `Erasure of what ${controller} had to keep for a time.`;
    case "closure":
      return `Closing of an account at ${controller}, and erasure of the personal data that belongs to it.`;
    case "revocation": {
      const scope = tasks.find((task) => task.scope !== undefined)?.scope;
      const access = scope === undefined ? "a connected account" : `an account at ${holder({ subprocessor: scope })}`;
      return `End of the access that ${controller} has to ${access}.`;
    }
  }
}

function origin({ source }: RequestView, { controller, holder }: Names): Child {
  const [subprocessor, endpoint] = source.split("/");
  if (subprocessor === undefined || source === "residue") return null;
  const by = endpoint === undefined ? controller : holder({ subprocessor });
  return <Line what="Came through">{by}</Line>;
}
