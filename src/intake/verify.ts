import type { Verification } from "../contract/verification.ts";
import type { Ports } from "../ports.ts";
import { importCertificate } from "./schemes/certificate.ts";
import { ebay } from "./schemes/ebay.ts";
import { importKey } from "./schemes/key.ts";
import { paypal } from "./schemes/paypal.ts";
import type { Delivery, Means, Verified } from "./schemes/scheme.ts";
import { sharedSecret } from "./schemes/shared-secret.ts";
import { signedRequest } from "./schemes/signed-request.ts";
import { signedText } from "./schemes/signed-text.ts";
import { signedToken } from "./schemes/signed-token.ts";
import { sns } from "./schemes/sns.ts";
import { standardWebhooks } from "./schemes/standard-webhooks.ts";
import { stripe } from "./schemes/stripe.ts";
import type { Found } from "./understand.ts";

/**
 * Checks a delivery on its raw bytes against every value of its key, newest first. Nothing is read before but what is
 * needed to find the key and the signed text.
 */
export function verify(scheme: Verification, delivery: Delivery, means: Means): Promise<Verified> {
  switch (scheme.scheme) {
    case "signed-request":
      return signedRequest(scheme, delivery, means);
    case "stripe":
      return stripe(scheme, delivery, means);
    case "hmac":
    case "ed25519":
    case "ecdsa-p256":
      return signedText(scheme, delivery, means);
    case "standard-webhooks":
      return standardWebhooks(scheme, delivery, means);
    case "jwt":
      return signedToken(scheme, delivery, means);
    case "shared-secret":
      return sharedSecret(scheme, delivery, means);
    case "sns":
      return sns(scheme, delivery, means);
    case "paypal":
      return paypal(scheme, delivery, means);
    case "ebay":
      return ebay(scheme, delivery, means);
  }
}

/** What a subprocessor's settings and this isolate have at hand for it. */
export const meansOf = (
  { keySets, now }: Pick<Ports, "keySets" | "now">,
  { context, values }: Pick<Found, "context" | "values">,
): Means => ({
  values,
  key: (kind, text) => context.once(`${kind} ${text}`, () => importKey(kind, text)),
  certificate: (pem, hash) => context.once(`certificate ${hash} ${pem}`, () => importCertificate(pem, hash)),
  keySets,
  now: now(),
});
