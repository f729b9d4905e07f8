import Stripe from "stripe";
import type { StripeSignature } from "../../contract/verification.ts";
import { fail } from "../../result.ts";
import { decoded } from "./bytes.ts";
import { badSignature, type Delivery, type Means, malformed, proven, type Verified } from "./scheme.ts";

const provider = Stripe.createSubtleCryptoProvider();
const signatures = Stripe.webhooks.signature;

export async function stripe(
  { key, withinSeconds }: StripeSignature,
  delivery: Delivery,
  { values, now }: Means,
): Promise<Verified> {
  // The SDK types it as absent until it is loaded; without it nothing is proven.
  if (signatures === null) throw new Error("the Stripe SDK has no signature check");
  const secrets = await values(key);
  if (secrets.length === 0) return fail({ reason: "no_key" });
  const signature = delivery.header("stripe-signature");
  if (signature === undefined || signature.length > 4096) return malformed("stripe-signature");
  const seconds = signedSeconds(signature);
  if (seconds === undefined) return malformed("stripe-signature");
  const text = decoded(delivery.body);
  if (!text.ok) return text;
  // The SDK refuses only what is too old, and nothing at a tolerance of zero; a time ahead of ours is no better.
  if (Math.abs(now - seconds * 1000) > withinSeconds * 1000) return fail({ reason: "stale" });
  for (const secret of secrets) {
    try {
      await signatures.verifyHeaderAsync(text.value, signature, secret, withinSeconds, provider, now);
      return proven(text.value, delivery, now);
    } catch (error) {
      // The SDK's one way to say no; whatever else it may throw is ours to hear of.
      if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) throw error;
    }
  }
  return badSignature;
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
