import type { SupersededBy } from "../request/generation.ts";
import { Day } from "./day.tsx";
import { Page } from "./page.tsx";

const reasons: Readonly<Record<string, (controller: string) => string>> = {
  connection: (controller) =>
    `It was about an earlier connection of yours to ${controller}. You have connected again since then, so the newer connection and what belongs to it were left as they are.`,
  restored: () =>
    "It said that an account had been deleted. The same sender says that the account was restored after that, so everything was left as it is.",
  echo: (controller) =>
    `It told of something that ${controller} had already asked for itself. There was nothing more to do.`,
};

/** For a message that was received and rightly changed nothing. */
export const NotedPage = ({
  noted,
  supersededBy = "connection",
  controller,
  receivedAt,
}: {
  readonly noted: string;
  readonly supersededBy?: SupersededBy | undefined;
  readonly controller: string;
  readonly receivedAt: string;
}) => (
  <Page title={`Received, nothing changed: ${controller}`} of="Your personal data">
    <h1>This message was received, and nothing was changed</h1>
    <section aria-labelledby="why">
      <h2 id="why">Why</h2>
      <p>
        It came on <Day at={receivedAt} />.{" "}
        {reasons[noted === "superseded" ? supersededBy : noted]?.(controller) ??
          `${controller} has taken note of it; by itself it does not start an erasure.`}
      </p>
      <p>
        If you want {controller} to erase your personal data, ask them directly. They have to answer you within a month
        of your asking.
      </p>
    </section>
  </Page>
);
