import { createHash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import { base64url, calculateJwkThumbprint, importJWK, importPKCS8, SignJWT } from "jose";
import { Webhook } from "standardwebhooks";
import type { AwsSigV4, Call, ClientSecretJwt, PrivateKey, Sign } from "../contract/call.ts";
import { nestedJwt } from "./nested-jwt.ts";

/** What leaves in place of a call's own headers and body. */
export type Signed = { readonly headers: Readonly<Record<string, string>>; readonly body?: string };

/**
 * Puts the proof of who calls onto a call, at the moment when it leaves: each attempt is signed anew. `now` in milliseconds; `nonce` is
 * what the server wants to see in a proof of possession.
 * Rejects where the key that was entered cannot sign: it does not parse, or is of another kind.
 */
export async function signed(call: Call, now: number, nonce?: string): Promise<Signed> {
  const { sign, headers, body } = call;
  const plain: Signed = { headers, ...(body !== undefined && { body }) };
  switch (sign?.scheme) {
    case undefined:
      return plain;
    case "nested-jwt":
      return { ...plain, body: await nestedJwt(sign, now) };
    case "standard-webhooks":
      return { ...plain, headers: { ...headers, ...webhookHeaders(sign.secret, sign.id, body ?? "", now) } };
    case "dpop":
      return possessed(call, sign, now, nonce);
    case "client-secret-jwt": {
      const form = new URLSearchParams(body);
      form.set("client_secret", await clientSecretJwt(sign, now));
      return { ...plain, body: form.toString() };
    }
    case "aws-sigv4":
      return { ...plain, headers: await awsHeaders(call, sign, now) };
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

/**
 * AWS Signature Version 4 in the `Authorization` header, over every header that is here, the query and the body. The address
 * leaves as it is: the signer only reads it.
 */
async function awsHeaders({ method, at, headers, body = "" }: Call, sign: AwsSigV4, now: number) {
  const { accessKeyId, secretAccessKey, region, service, contentMd5 } = sign;
  const signer = new AwsV4Signer({
    method,
    url: at.url,
    headers: {
      ...headers,
      // S3 wants the digest that is signed to be said as well; without it, the library would leave the body unsigned.
      ...(service === "s3" && { "x-amz-content-sha256": createHash("sha256").update(body).digest("hex") }),
      ...(contentMd5 === true && { "content-md5": createHash("md5").update(body).digest("base64") }),
    },
    body,
    accessKeyId,
    secretAccessKey,
    region,
    service,
    datetime: new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, ""),
    allHeaders: true,
  });
  return Object.fromEntries((await signer.sign()).headers);
}

type Possession = Extract<Sign, { scheme: "dpop" }>;

async function possessed(
  call: Call,
  { key, accessToken, client }: Possession,
  now: number,
  nonce: string | undefined,
): Promise<Signed> {
  const headers = {
    ...call.headers,
    dpop: await proof(key, call, accessToken, now, nonce),
    ...(accessToken !== undefined && { authorization: `DPoP ${accessToken}` }),
  };
  if (client === undefined) return { headers, ...(call.body !== undefined && { body: call.body }) };
  const form = new URLSearchParams(call.body);
  form.set("client_id", client.id);
  form.set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
  form.set("client_assertion", await assertion(client, now));
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
async function assertion({ id, key, audience }: NonNullable<Possession["client"]>, now: number): Promise<string> {
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
