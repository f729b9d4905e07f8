/**
 * How a vendor proves that a delivery is its own: data, never code. The core verifies; an integration only says where
 * things stand and which of its settings hold the keys. A new scheme is a new member here and a new file in
 * `intake/schemes`, reviewed once, with a known answer from a standard or the vendor's own documents or SDK.
 *
 * `key` names a setting; every value that it holds is tried, newest first, so that keys can be rotated.
 */
export type Verification =
  | SignedRequest
  | StripeSignature
  | Hmac
  | PublicKeySignature
  | StandardWebhooks
  | SignedToken
  | SharedSecret
  | SnsSignature
  | PayPalSignature
  | EbaySignature;

/**
 * Meta's `signed_request` form field: `<base64url HMAC-SHA256>.<base64url JSON>`, keyed with the app secret, over the
 * encoded payload text as received. The scheme has no age limit: a late deletion request is still a request.
 * https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
 */
export type SignedRequest = { readonly scheme: "signed-request"; readonly key: string };

/**
 * Stripe's `Stripe-Signature`, checked by Stripe's own SDK. The endpoint secret is used as text, `whsec_` included.
 * https://docs.stripe.com/webhooks#verify-manually
 */
export type StripeSignature = { readonly scheme: "stripe"; readonly key: string; readonly withinSeconds: number };

/**
 * One piece of the text that is signed, in the order in which a vendor joins them: the raw body, the method, the address
 * that was registered with the vendor (with its query), the fields of a form as `name` and `value` in the order of their
 * names, a constant, a header as it came, or an item of the signature's own header.
 *
 * Names and values of a form run together, so that they can be cut anew under the same signature: what such a form says is
 * a hint to be confirmed, unless the whole of it stands in one field.
 */
export type Part =
  | "body"
  | "method"
  | "url"
  | "form"
  | { readonly text: string }
  | { readonly header: string }
  | { readonly item: string };

/** Where a signature stands and how it is written. Hex is lower case; base64 has its padding, base64url none. */
export type SignatureAt = {
  readonly header: string;
  readonly encoding: "hex" | "base64" | "base64url";
  /** What stands before it: `sha256=`. `optional` where a vendor's documents and deliveries disagree. */
  readonly prefix?: string | { readonly optional: string };
  /** A header that is a list of `name=value`: under `name` stand the signatures, several while keys are rotated. */
  readonly items?: { readonly separator: "," | ";"; readonly name: string };
};

/**
 * The signed time of a delivery, and how far from ours it may be, on either side. Where a vendor repeats a delivery for
 * longer and is not known to sign it anew, no window is set: a late deletion is still one, and a repeat is known by its id.
 */
export type Fresh = {
  readonly at: { readonly header: string } | { readonly item: string };
  readonly unit: "seconds" | "milliseconds" | "rfc3339";
  readonly withinSeconds: number;
};

type Signed = {
  readonly key: string;
  readonly signature: SignatureAt;
  readonly over: readonly Part[];
  readonly fresh?: Fresh;
  /** Where the address is signed and not the body: the query that holds the body's SHA-256 in hex. */
  readonly bodyDigest?: { readonly query: string };
  readonly expects?: readonly Expected[];
};

/**
 * Where a body of JSON names the app or the account that it is for, member by member; in a list, each of its elements. What
 * is named must be among the setting's values, which are separated by commas, or the delivery is another's and refused. One
 * that names none is taken, and nothing is expected where the setting is not filled in.
 */
export type Expected = { readonly at: readonly [string, ...string[]]; readonly setting: string };

/** A keyed hash, with the key as its text unless an encoding is named. RFC 2104. */
export type Hmac = Signed & {
  readonly scheme: "hmac";
  readonly hash: "SHA-256" | "SHA-1";
  readonly keyEncoding?: "hex" | "base64";
};

/**
 * A signature that anybody can check: Ed25519 (RFC 8032) with the key as 32 bytes in hex, or ECDSA on P-256 with SHA-256,
 * the signature in DER and the key as SPKI in base64 (FIPS 186-5, RFC 5480).
 */
export type PublicKeySignature = Signed & { readonly scheme: "ed25519" | "ecdsa-p256" };

/**
 * `webhook-id`, `webhook-timestamp` and `webhook-signature`, or the same three as `svix-*`. A key is `whsec_` and base64 of
 * the shared bytes (`v1`), or `whpk_` and base64 of an Ed25519 key (`v1a`).
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export type StandardWebhooks = {
  readonly scheme: "standard-webhooks";
  readonly key: string;
  readonly withinSeconds: number;
};

/** Something fixed by the vendor, or the value of a setting. */
export type FixedOr<T> = T | { readonly setting: string };

/**
 * A JSON Web Token that is signed with one of the keys at an address (RFC 7519, RFC 7517, RFC 8417). It is the body, stands
 * in a member of it, or in a header beside it; then it proves who sent the body, not what is in it.
 */
export type SignedToken = {
  readonly scheme: "jwt";
  readonly at: "body" | { readonly member: string } | { readonly bearer: string };
  /** The key set's address; its origin is one that the integration calls, or an `endpoint` setting. */
  readonly keys: FixedOr<string>;
  readonly algorithms: readonly ("RS256" | "ES256" | "PS256" | "EdDSA")[];
  readonly typ?: string;
  readonly issuer: FixedOr<readonly string[]>;
  /** Settings whose values, separated by commas, are ours; a token has to name one of them. */
  readonly audience: { readonly setting: string } | "url";
  /** What else a claim must be: the value of a setting, or simply true. */
  readonly claims?: Readonly<Record<string, { readonly setting: string } | true>>;
  /** Security event tokens have no expiry of their own; identity tokens have one. */
  readonly expires: boolean;
  /** A secret that comes along with the token, where its setting is filled in; the token is looked at only beside it. */
  readonly also?: SharedSecret;
  /** Whose signature is good is told that issuer or audience do not fit; otherwise nobody is. */
  readonly explains?: true;
};

/**
 * A secret that comes along as it is: in a header, in the query of the address, or as the password of HTTP Basic (RFC 7617).
 * It says who sent the delivery and nothing of what is in it.
 */
export type SharedSecret = {
  readonly scheme: "shared-secret";
  readonly key: string;
  readonly at: { readonly header: string } | { readonly query: string } | { readonly basic: string };
  /** A signature that the vendor may send along without saying so: where it comes, and its key is known, it has to hold. */
  readonly signed?: Hmac;
  readonly expects?: readonly Expected[];
};

/**
 * Amazon SNS: RSA over named fields of the message, with the certificate at an address of SNS itself. Any AWS account can
 * have such a message signed, so the topic must be one of ours.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
 */
export type SnsSignature = { readonly scheme: "sns"; readonly topics: { readonly setting: string } };

/**
 * PayPal: RSA over the transmission's id and time, the id of our webhook and a CRC-32 of the body, with the certificate at an
 * address of PayPal's API.
 *
 * A CRC is no digest: whoever gets hold of the headers of one delivery can put another body under them. So an event's id is
 * `signed("paypal-transmission-id")`, by which the first body under it is the only one; and what the body says is a hint that
 * is acted upon in PayPal's own scope at most, until PayPal's API confirms it.
 * https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod
 */
export type PayPalSignature = {
  readonly scheme: "paypal";
  readonly webhookId: { readonly setting: string };
  /** PayPal repeats a delivery for three days under the time of the first. */
  readonly withinSeconds: number;
};

/**
 * eBay: ECDSA on P-256 over the body, with a key that its API shows to whoever has a token of the application. The hash is the
 * one that the key's answer names.
 *
 * Nothing signed says for which application a delivery is: whoever else gets one from eBay can send it on. It stays true of
 * the person, and says little of a grant; so the end of a grant is acted upon in eBay's own scope at most.
 * https://developer.ebay.com/marketplace-account-deletion#verify
 */
export type EbaySignature = {
  readonly scheme: "ebay";
  /** The application's id and secret, with which its token is asked for. */
  readonly client: { readonly id: { readonly setting: string }; readonly secret: { readonly setting: string } };
  /** A setting that is `sandbox` where eBay's sandbox sends; anything else, and nothing, is production. */
  readonly environment: { readonly setting: string };
};
