import { importPKCS8, SignJWT } from "jose";
import { Webhook } from "standardwebhooks";
import type { Call, Sign } from "../contract/call.ts";

/** What leaves in place of a call's own headers and body. */
export type Signed = { readonly headers: Readonly<Record<string, string>>; readonly body?: string };

/**
 * Puts the proof of who calls onto a call, at the moment when it leaves: each attempt is signed anew. `now` in milliseconds.
 * Rejects where the key that was entered cannot sign: it does not parse, or is of another kind.
 */
export async function signed({ sign, headers, body }: Call, now: number): Promise<Signed> {
  const plain: Signed = { headers, ...(body !== undefined && { body }) };
  switch (sign?.scheme) {
    case undefined:
      return plain;
    case "standard-webhooks":
      return { ...plain, headers: { ...headers, ...webhookHeaders(sign.secret, sign.id, body ?? "", now) } };
    case "jwt-bearer":
      return { ...plain, body: await withAssertion(body ?? "", sign, now) };
  }
}

/** https://www.rfc-editor.org/rfc/rfc7523#section-2.1 */
async function withAssertion(
  body: string,
  { key, keyId, claims, forSeconds }: Extract<Sign, { scheme: "jwt-bearer" }>,
  now: number,
): Promise<string> {
  const issuedAt = Math.floor(now / 1000);
  const jwt = await new SignJWT(claims)
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: keyId })
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + forSeconds)
    .sign(await importPKCS8(key, "RS256"));
  const form = new URLSearchParams(body);
  form.append("assertion", jwt);
  return form.toString();
}

/** Standard Webhooks: the time is this attempt's, the id every attempt's. */
const webhookHeaders = (secret: string, id: string, body: string, now: number) => ({
  "webhook-id": id,
  "webhook-timestamp": Math.floor(now / 1000).toString(),
  "webhook-signature": new Webhook(secret).sign(id, new Date(now), body),
});
