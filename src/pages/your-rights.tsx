/** What a person can do who is not content: ask, complain, go to court. */
export const YourRights = ({ controller }: { readonly controller: string }) => (
  <section aria-labelledby="rights">
    <h2 id="rights">If you are not content</h2>
    <p>
      Ask {controller} first, and give the reference above. You also have the right to complain to a supervisory
      authority for data protection, where you live, where you work, or where you think that the law was broken. It
      costs nothing. You can go to court as well.
    </p>
    <p>
      The authorities:{" "}
      <a rel="noreferrer" href="https://www.edpb.europa.eu/about-edpb/about-edpb/members_en">
        European Union and EEA
      </a>
      ,{" "}
      <a rel="noreferrer" href="https://ico.org.uk/make-a-complaint/">
        United Kingdom
      </a>
      . Elsewhere, ask for the one of your country or state.
    </p>
  </section>
);
