import type { Instant } from "../ids.ts";
import type { RequestView } from "../request/request.ts";
import { Day } from "./day.tsx";

type Props = {
  readonly view: RequestView;
  readonly controller: string;
  /** Until when, at the latest, the mark is kept. */
  readonly until: Instant | undefined;
};

/** The suppression entry: what stays after an erasure so that the person's data is not collected again. */
export const LaterCollection = ({ view, controller, until }: Props) =>
  view.type === "revocation" ||
  view.status !== "closed" ||
  view.continues !== undefined ||
  until === undefined ? null : (
    <section aria-labelledby="later">
      <h2 id="later">So that your data is not collected again</h2>
      <p>
        {controller} may keep a scrambled mark, made from your details with a secret key, until{" "}
        <Day at={new Date(until).toISOString()} /> at the latest. It does not say who you are. It only shows that your
        data was to be erased, should your details come in again.
      </p>
    </section>
  );
