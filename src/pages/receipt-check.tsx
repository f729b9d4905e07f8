import type { RequestView } from "../request/request.ts";

/** How a person gets the signed receipt, and how anyone can check it. */
export const ReceiptCheck = ({ view, controller }: { readonly view: RequestView; readonly controller: string }) =>
  view.status === "cancelled" ? null : (
    <section aria-labelledby="receipt">
      <h2 id="receipt">Proof</h2>
      <p>{availability(view, controller)}</p>
      <p>
        A receipt holds neither your name nor your address. Anyone can check that it is genuine and unchanged, now and
        years later, with <code>quittance receipt verify</code> and the <a href="/.well-known/jwks.json">public keys</a>{" "}
        of this service.
      </p>
    </section>
  );

function availability({ status, receipt }: RequestView, controller: string): string {
  if (status === "closed") return `The result was signed as a receipt. Ask ${controller} for it.`;
  return receipt === undefined
    ? `When the request is closed, the result is signed as a receipt. ${controller} can give it to you then.`
    : `A first receipt says how things stood on the day by which this was to be finished; another follows when the request is closed. Ask ${controller} for them.`;
}
