import { Page } from "./page.tsx";

/** What an operator sees who opens the gateway's bare address. It says nothing about anyone who uses it. */
export const HomePage = () => (
  <Page title="Quittance" of="Erasure and revocation gateway">
    <h1>Quittance</h1>
    <section aria-labelledby="what">
      <h2 id="what">What this is</h2>
      <p>
        Every “forget me” arrives here once, reaches everyone who holds the data, and comes back with a receipt that
        anyone can check. This address is used by programs; people get here by a link that leads to their own request.
      </p>
    </section>
    <section aria-labelledby="operators">
      <h2 id="operators">For operators</h2>
      <ul class="links">
        <li>
          <a href="/healthz">Health</a>: whether the gateway and its store answer
        </li>
        <li>
          <a href="/.well-known/jwks.json">Public keys</a>: what receipts are checked with
        </li>
        <li>
          The API under <code>/v1</code> is described in the README that comes with the gateway.
        </li>
      </ul>
    </section>
    <section aria-labelledby="people">
      <h2 id="people">Looking for your own request?</h2>
      <p>Open the link that the company gave you. If you have none, ask the company.</p>
    </section>
  </Page>
);
