/**
 * How a vendor proves that a delivery is its own: data, never code. The core verifies; an integration only says which
 * of its settings holds the key. A new scheme is a new member here and a new case in `intake/verify.ts`, reviewed once,
 * with a known answer from the vendor's documents or SDK.
 */
export type Verification =
  /**
   * Meta's `signed_request` form field: `<base64url HMAC-SHA256>.<base64url JSON>`, keyed with the app secret, over the
   * encoded payload text as received. The scheme has no age limit: a late deletion request is still a request.
   * https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
   */
  | { readonly scheme: "signed-request"; readonly key: string }
  /**
   * Stripe's `Stripe-Signature`, checked by Stripe's own SDK. The endpoint secret is used as text, `whsec_` included.
   * https://docs.stripe.com/webhooks#verify-manually
   */
  | { readonly scheme: "stripe"; readonly key: string; readonly withinSeconds: number };
