import { EBAY_KEY } from "../../cli/senders/ebay.ts";
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

/** eBay shows its keys to whoever has a token of an application. https://developer.ebay.com/api-docs/commerce/notification/overview.html */
const EBAY: ReadonlySet<string> = new Set(["api.ebay.com", "api.sandbox.ebay.com"]);
const EBAY_TOKEN = "/identity/v1/oauth2/token";
const EBAY_KEYS = "/commerce/notification/v1/public_key/";

/** What only stands for eBay's tokens. */
const TOKEN = "v^1.1#development";

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
    isEbays(url.hostname, url.pathname, method) ||
    (method === "GET" &&
      (ADDRESSES.has(url.origin + url.pathname) ||
        (RESERVED.test(url.hostname) && KEY_SET.test(url.pathname)) ||
        nameAt(url) !== undefined)),
  call: async (request) => {
    const url = new URL(request.url);
    if (EBAY.has(url.hostname))
      return url.pathname === EBAY_TOKEN ? ebayToken(request) : ebayKey(request, url.pathname);
    const commonName = nameAt(url);
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

const isEbays = (hostname: string, pathname: string, method: string): boolean =>
  EBAY.has(hostname) &&
  ((method === "POST" && pathname === EBAY_TOKEN) || (method === "GET" && pathname.startsWith(EBAY_KEYS)));

/** https://developer.ebay.com/api-docs/static/oauth-client-credentials-grant.html */
async function ebayToken(request: Request): Promise<Response> {
  const basic = /^Basic ([A-Za-z0-9+/]+=*)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  if (!/^[^:]+:.+$/.test(atob(basic)))
    return Response.json(
      { error: "invalid_client", error_description: "client authentication failed" },
      { status: 401 },
    );
  const form = new URLSearchParams(await request.text());
  if (form.get("grant_type") !== "client_credentials")
    return Response.json({ error: "unsupported_grant_type" }, { status: 400 });
  if (form.get("scope") !== "https://api.ebay.com/oauth/api_scope")
    return Response.json({ error: "invalid_scope" }, { status: 400 });
  return Response.json({ access_token: TOKEN, expires_in: 7200, token_type: "Application Access Token" });
}

/** Without line breaks, as eBay has it. */
function ebayKey(request: Request, pathname: string): Response {
  const error = (status: number, errorId: number, message: string) =>
    Response.json({ errors: [{ errorId, domain: "OAuth", category: "REQUEST", message }] }, { status });
  if (request.headers.get("authorization") !== `Bearer ${TOKEN}`) return error(401, 1001, "Invalid access token");
  if (pathname.slice(EBAY_KEYS.length) !== EBAY_KEY.id) return error(404, 195_001, "Not found");
  const key = `-----BEGIN PUBLIC KEY-----${EBAY_KEY.publicKey}-----END PUBLIC KEY-----`;
  return Response.json({ key, algorithm: "ECDSA", digest: "SHA1" });
}
