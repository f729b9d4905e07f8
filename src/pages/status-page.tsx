import type { Instant } from "../ids.ts";
import type { RequestView } from "../request/request.ts";
import { EndedSteps } from "./ended-steps.tsx";
import { KeptData } from "./kept-data.tsx";
import { LaterCollection } from "./later-collection.tsx";
import type { Names } from "./name.ts";
import { OpenSteps } from "./open-steps.tsx";
import { headlines, OverallState } from "./overall-state.tsx";
import { Page } from "./page.tsx";
import { ReceiptCheck } from "./receipt-check.tsx";
import { RequestSummary } from "./request-summary.tsx";
import { standingOf } from "./standing.ts";
import { YourRights } from "./your-rights.tsx";

export type StatusPageProps = {
  readonly view: RequestView;
  readonly names: Names;
  readonly now: Instant;
  /** Until when, at the latest, a suppression entry is kept, once the request is closed. */
  readonly suppressedUntil: Instant | undefined;
};

/** What has become of a request, for the person who made it. */
export const StatusPage = ({ view, names, now, suppressedUntil }: StatusPageProps) => {
  const standing = standingOf(view, now);
  const { controller } = names;
  const ended = { tasks: view.tasks, names };
  return (
    <Page
      title={`${headlines[standing]}: your request to ${controller}`}
      of="Your personal data"
      footer={
        <p>
          Whoever has this page’s address can read it, so keep the address to yourself. The page does not stay for ever:
          print or save it if you want to keep it. Days are counted in Universal Time (UTC).
        </p>
      }
    >
      <h1>Your request to {controller}</h1>
      <OverallState view={view} names={names} standing={standing} />
      <RequestSummary view={view} names={names} />
      <EndedSteps {...ended} outcomes={["erased"]} tone="good" heading="What has been erased" />
      <EndedSteps {...ended} outcomes={["revoked"]} tone="good" heading="What has been ended" />
      <EndedSteps {...ended} outcomes={["stopped"]} tone="good" heading="What has been stopped" />
      <EndedSteps {...ended} outcomes={["manual_done"]} tone="good" heading="What was done by hand" />
      <EndedSteps {...ended} outcomes={["informed"]} tone="still" heading="Who has been told" />
      <EndedSteps {...ended} outcomes={["not_found"]} tone="still" heading="Where nothing was found" />
      <KeptData tasks={view.tasks} names={names} now={now} />
      <EndedSteps {...ended} outcomes={["refused", "unresolved"]} tone="warn" heading="What could not be done" />
      <OpenSteps tasks={view.tasks} names={names} />
      <LaterCollection view={view} controller={controller} until={suppressedUntil} />
      <YourRights controller={controller} />
      <ReceiptCheck view={view} controller={controller} />
    </Page>
  );
};
