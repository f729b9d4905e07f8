import type { Landed } from "../connections/flow.ts";
import { Page } from "./page.tsx";

type Why = Extract<Landed, { refused: string }>["refused"] | "unknown_ticket";

/** What a person reads whose way to a vendor or back cannot be gone on. Nothing of what their browser brought stands in it. */
export const BrokenWayPage = ({ why }: { readonly why: Why }) => (
  <Page title="Your account was not connected" of="Connecting an account">
    <h1>Your account was not connected</h1>
    <section aria-labelledby="why">
      <h2 id="why">What happened</h2>
      <p>{REASONS[why]}</p>
      <p>Nothing was granted here. Go back to the product in which you began, and connect your account once more.</p>
    </section>
  </Page>
);

const REASONS: Readonly<Record<Why, string>> = {
  unknown_ticket: "This link was used before, or is older than ten minutes. It works once.",
  unknown_state: "You were away for longer than ten minutes, or this page was opened a second time.",
  other_browser: "You came back in another browser than the one in which you began, or cookies are blocked.",
  other_callback: "You came back by a way that belongs to another provider.",
  repeated_parameter: "The address of this page is damaged.",
};
