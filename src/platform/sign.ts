import { base64url, calculateJwkThumbprint, importJWK, SignJWT } from "jose";
import { Webhook } from "standardwebhooks";
import type { Call, PrivateKey, Sign } from "../contract/call.ts";

/** What leaves in place of a call's own headers and body. */
export type Signed = { readonly headers: Readonly<Record<string, string>>; readonly body?: string };

/**
 * Puts the proof of who calls onto a call, at the moment when it leaves: each attempt is signed anew. `now` in milliseconds; `nonce` is
 * what the server wants to see in a proof of possession.
 */
export async function signed(call: Call, now: number, nonce?: string): Promise<Signed> {
  const { sign, headers, body } = call;
  const plain: Signed = { headers, ...(body !== undefined && { body }) };
  switch (sign?.scheme) {
    case undefined:
      return plain;
    case "standard-webhooks":
      return { ...plain, headers: { ...headers, ...webhookHeaders(sign.secret, sign.id, body ?? "", now) } };
    case "dpop":
      return possessed(call, sign, now, nonce);
  }
}

/** Standard Webhooks: the time is this attempt's, the id every attempt's. */
const webhookHeaders = (secret: string, id: string, body: string, now: number) => ({
  "webhook-id": id,
  "webhook-timestamp": Math.floor(now / 1000).toString(),
  "webhook-signature": new Webhook(secret).sign(id, new Date(now), body),
});

type Possession = Extract<Sign, { scheme: "dpop" }>;

async function possessed(
  call: Call,
  { binding, accessToken, audience }: Possession,
  now: number,
  nonce: string | undefined,
): Promise<Signed> {
  const headers = {
    ...call.headers,
    dpop: await proof(binding.key, call, accessToken, now, nonce),
    ...(accessToken !== undefined && { authorization: `DPoP ${accessToken}` }),
  };
  if (audience === undefined) return { headers, ...(call.body !== undefined && { body: call.body }) };
  const form = new URLSearchParams(call.body);
  form.set("client_id", binding.client.id);
  form.set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
  form.set("client_assertion", await assertion(binding.client, audience, now));
  return { headers, body: form.toString() };
}

/** RFC 9449 section 4.2. */
async function proof(
  key: PrivateKey,
  { method, at }: Pick<Call, "method" | "at">,
  accessToken: string | undefined,
  now: number,
  nonce: string | undefined,
): Promise<string> {
  const { origin, pathname } = new URL(at.url);
  const { d: _, ...jwk } = key;
  const claims = {
    jti: crypto.randomUUID(),
    htm: method,
    htu: origin + pathname,
    ...(nonce !== undefined && { nonce }),
    ...(accessToken !== undefined && { ath: await hashed(accessToken) }),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ typ: "dpop+jwt", alg: "ES256", jwk })
    .setIssuedAt(Math.floor(now / 1000))
    .sign(await importJWK(key, "ES256"));
}

/** Longer than a call may take. */
const ASSERTION_S = 60;

/** RFC 7523 section 3: new for each call. */
async function assertion({ id, key }: Possession["binding"]["client"], audience: string, now: number): Promise<string> {
  const at = Math.floor(now / 1000);
  return new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: "ES256", kid: await calculateJwkThumbprint(key) })
    .setIssuer(id)
    .setSubject(id)
    .setAudience(audience)
    .setIssuedAt(at)
    .setExpirationTime(at + ASSERTION_S)
    .sign(await importJWK(key, "ES256"));
}

const hashed = async (text: string): Promise<string> =>
  base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
