import type { MakeVendor, Refusal, World } from "./vendor.ts";

/**
 * Where vendors publish the keys that they sign with, as their documents say; the gateway's own code is not asked.
 * https://accounts.google.com/.well-known/risc-configuration (`jwks_uri`), which Pub/Sub's tokens are signed under, too
 * https://ai.google.dev/gemini-api/docs/webhooks
 * https://developer.apple.com/documentation/signinwithapplerestapi/fetch_apple_s_public_key_for_verifying_token_signature
 */
const ADDRESSES: ReadonlySet<string> = new Set([
  "https://www.googleapis.com/oauth2/v3/certs",
  "https://generativelanguage.googleapis.com/.well-known/jwks.json",
  "https://appleid.apple.com/auth/keys",
]);

/** Names that belong to nobody (RFC 2606): a transmitter that a development setting names. */
const RESERVED = /(^|\.)example(\.com|\.net|\.org)?$/;
const KEY_SET = /\/(jwks|keys|certs)(\.json)?$/;

/**
 * Certificates, and the names in them. A vendor changes the last part of their addresses when it changes the certificate.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
 * https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod
 */
const CERTIFICATES: readonly { readonly address: RegExp; readonly commonName: string }[] = [
  {
    address: /^https:\/\/sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?\/SimpleNotificationService-[0-9a-f]+\.pem$/,
    commonName: "sns.amazonaws.com",
  },
  {
    address: /^https:\/\/api\.(sandbox\.)?paypal\.com\/v1\/notifications\/certs\/CERT-[\w-]+$/,
    commonName: "messageverificationcerts.paypal.com",
  },
];
const nameAt = ({ origin, pathname }: URL): string | undefined =>
  CERTIFICATES.find(({ address }) => address.test(origin + pathname))?.commonName;

/**
 * Every vendor's published keys. Only the vendors have the private halves, so one key that was made on this machine stands for
 * all of theirs: `quittance send` signs with it.
 */
export const keySets: MakeVendor = ({ vendorKeys, certificate }: World) => ({
  id: "key-sets",
  about: "The addresses where vendors publish the keys that they sign with",
  serves: () => false,
  standsAt: (url, method) =>
    method === "GET" &&
    (ADDRESSES.has(url.origin + url.pathname) ||
      (RESERVED.test(url.hostname) && KEY_SET.test(url.pathname)) ||
      nameAt(url) !== undefined),
  call: async ({ url }) => {
    const commonName = nameAt(new URL(url));
    if (commonName !== undefined && certificate !== undefined)
      return new Response(await certificate(commonName), { headers: { "content-type": "application/x-pem-file" } });
    return vendorKeys === undefined || commonName !== undefined
      ? Response.json({ error: "no key was made" }, { status: 404 })
      : Response.json(vendorKeys, {
          headers: { "content-type": "application/jwk-set+json", "cache-control": "public, max-age=3600" },
        });
  },
  refuse: ({ reason, status }: Refusal) => Response.json({ error: reason }, { status }),
  seed: () => {
    throw new Error("there is nothing to seed: the keys are made at the start");
  },
  holdings: () => ({}),
  reset: () => undefined,
});
