import { importPKCS8, SignJWT } from "jose";
import { Webhook } from "standardwebhooks";
import type { Call, ClientSecretJwt } from "../contract/call.ts";

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
    case "client-secret-jwt": {
      const form = new URLSearchParams(body);
      form.set("client_secret", await clientSecretJwt(sign, now));
      return { ...plain, body: form.toString() };
    }
  }
}

/** Long enough for a call, and for clocks that differ. */
const CLIENT_SECRET_SECONDS = 300;

/** A client's secret of the moment; rejects as `signed` does. */
export async function clientSecretJwt(sign: ClientSecretJwt, now: number): Promise<string> {
  const { key, keyId, issuer, audience, subject } = sign;
  const issuedAt = Math.floor(now / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: "ES256", kid: keyId })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + CLIENT_SECRET_SECONDS)
    .sign(await importPKCS8(key, "ES256"));
}

/** Standard Webhooks: the time is this attempt's, the id every attempt's. */
const webhookHeaders = (secret: string, id: string, body: string, now: number) => ({
  "webhook-id": id,
  "webhook-timestamp": Math.floor(now / 1000).toString(),
  "webhook-signature": new Webhook(secret).sign(id, new Date(now), body),
});
