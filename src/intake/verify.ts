import { base64url } from "jose";
import Stripe from "stripe";
import type { Verification } from "../contract/verification.ts";
import type { Instant } from "../ids.ts";
import { fail, ok, type Result } from "../result.ts";

/** Text that the vendor has proven to be its own. Only `verify` makes it, and only it can be read. */
export type Proven = { readonly text: string; readonly brand: unique symbol };

export type Refusal =
  | { readonly reason: "no_key" }
  | { readonly reason: "malformed"; readonly what: string }
  | { readonly reason: "bad_signature" }
  | { readonly reason: "stale" };

export type Delivery = {
  readonly body: Uint8Array;
  readonly header: (name: string) => string | undefined;
};

/** Keys of HMAC schemes, imported once for as long as the secrets are in memory. */
export type ImportKey = (secret: string) => Promise<CryptoKey>;

/**
 * Checks a delivery on its raw bytes against every value of the secret, newest first. Nothing is read before but what is
 * needed to find the signed text.
 */
export async function verify(
  scheme: Verification,
  delivery: Delivery,
  secrets: readonly string[],
  importKey: ImportKey,
  now: Instant,
): Promise<Result<Proven, Refusal>> {
  if (secrets.length === 0) return fail({ reason: "no_key" });
  switch (scheme.scheme) {
    case "signed-request":
      return signedRequest(delivery, secrets, importKey);
    case "stripe":
      return stripe(delivery, secrets, scheme.withinSeconds, now);
  }
}

// The brand is type-level only; this function is its one maker and is not exported.
const proven = (text: string): Proven => ({ text }) as Proven;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

function decoded(bytes: Uint8Array): Result<string, Refusal> {
  try {
    return ok(decoder.decode(bytes));
  } catch (error) {
    if (error instanceof TypeError) return fail({ reason: "malformed", what: "not UTF-8" });
    throw error;
  }
}

async function signedRequest(
  { body }: Delivery,
  secrets: readonly string[],
  importKey: ImportKey,
): Promise<Result<Proven, Refusal>> {
  const form = decoded(body);
  if (!form.ok) return form;
  const fields = new URLSearchParams(form.value).getAll("signed_request");
  const [field] = fields;
  if (fields.length !== 1 || field === undefined)
    return fail({ reason: "malformed", what: "expected one signed_request" });
  const dot = field.indexOf(".");
  const signature = strictBase64url(field.slice(0, dot));
  const payload = field.slice(dot + 1);
  if (dot < 1 || signature === undefined || signature.length !== 32)
    return fail({ reason: "malformed", what: "signature" });
  for (const secret of secrets) {
    const key = await importKey(secret);
    // The signed text is the payload as it came, before any decoding.
    if (!(await crypto.subtle.verify("HMAC", key, signature, encoder.encode(payload)))) continue;
    const bytes = strictBase64url(payload);
    if (bytes === undefined) return fail({ reason: "malformed", what: "payload" });
    const text = decoded(bytes);
    if (!text.ok) return text;
    return saysHmacSha256(text.value) ? ok(proven(text.value)) : fail({ reason: "malformed", what: "algorithm" });
  }
  return fail({ reason: "bad_signature" });
}

/** The payload names its algorithm, and Meta's sample checks it, ignoring case. */
function saysHmacSha256(text: string): boolean {
  try {
    const payload: unknown = JSON.parse(text);
    if (typeof payload !== "object" || payload === null || !("algorithm" in payload)) return false;
    return typeof payload.algorithm === "string" && payload.algorithm.toUpperCase() === "HMAC-SHA256";
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** RFC 4648 section 5, with or without padding; anything else is refused rather than skipped. */
function strictBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bare = text.replace(/={1,2}$/, "");
  if (!/^[A-Za-z0-9_-]+$/.test(bare) || bare.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(base64url.decode(bare));
  // Unused trailing bits must be zero, or two texts would name the same bytes.
  return base64url.encode(bytes) === bare ? bytes : undefined;
}

const provider = Stripe.createSubtleCryptoProvider();
const signatures = Stripe.webhooks.signature;

async function stripe(
  { body, header }: Delivery,
  secrets: readonly string[],
  withinSeconds: number,
  now: Instant,
): Promise<Result<Proven, Refusal>> {
  // The SDK types it as absent until it is loaded; without it nothing is proven.
  if (signatures === null) throw new Error("the Stripe SDK has no signature check");
  const signature = header("stripe-signature");
  if (signature === undefined || signature.length > 4096)
    return fail({ reason: "malformed", what: "stripe-signature" });
  const seconds = signedSeconds(signature);
  if (seconds === undefined) return fail({ reason: "malformed", what: "stripe-signature" });
  const text = decoded(body);
  if (!text.ok) return text;
  // The SDK refuses only what is too old; a time ahead of ours by more than the tolerance is no better.
  if (seconds * 1000 - now > withinSeconds * 1000) return fail({ reason: "stale" });
  for (const secret of secrets) {
    try {
      await signatures.verifyHeaderAsync(text.value, signature, secret, withinSeconds, provider, now);
      return ok(proven(text.value));
    } catch (error) {
      // The SDK's one way to say no; whatever else it may throw is ours to hear of.
      if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) throw error;
    }
  }
  return fail({ reason: "bad_signature" });
}

/** One item for each secret that is active while they are rotated, one for the time, and room to spare. */
const MAX_ITEMS = 16;

/**
 * The one time in a header of the form `t=…,v1=…`. Of several times the SDK would take the last, and it throws errors of
 * its own on an item without a value; so anything but the strict form is `undefined`.
 */
function signedSeconds(signature: string): number | undefined {
  const items = signature.split(",");
  if (items.length > MAX_ITEMS || !items.every((item) => /^[a-z0-9]+=[^=,\s]+$/i.test(item))) return undefined;
  const [time, ...others] = items.filter((item) => item.startsWith("t="));
  return time !== undefined && others.length === 0 && /^t=\d{1,12}$/.test(time) ? Number(time.slice(2)) : undefined;
}
