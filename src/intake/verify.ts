import type { Verification } from "../contract/verification.ts";
import { paypal } from "./schemes/paypal.ts";
import type { Delivery, Means, Verified } from "./schemes/scheme.ts";
import { sharedSecret } from "./schemes/shared-secret.ts";
import { signedRequest } from "./schemes/signed-request.ts";
import { signedText } from "./schemes/signed-text.ts";
import { signedToken } from "./schemes/signed-token.ts";
import { sns } from "./schemes/sns.ts";
import { standardWebhooks } from "./schemes/standard-webhooks.ts";
import { stripe } from "./schemes/stripe.ts";

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
  }
}
