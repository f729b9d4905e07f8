import { Page } from "./page.tsx";

/** For a person whose link leads nowhere. It says no more than that, whether the code was mistyped, made up or has expired. */
export const UnknownLinkPage = () => (
  <Page title="This link does not lead to a request" of="Your personal data">
    <h1>This link does not lead to a request</h1>
    <section aria-labelledby="why">
      <h2 id="why">What you can do</h2>
      <p>Check that the whole address was copied: it ends in a long row of letters and digits.</p>
      <p>
        If it is complete, the request may lie so far back that its page is no longer kept. The company that you asked
        can tell you what has become of it.
      </p>
    </section>
  </Page>
);
