import { compactVerify, createLocalJWKSet, errors, type JWK } from "jose";
import type { Proof, Reply } from "../contract/call.ts";
import { strictBase64, utf8 } from "../intake/schemes/bytes.ts";
import { importCertificate, isInForce } from "../intake/schemes/certificate.ts";

/** Only keys of which the other side alone has the private half. RFC 7518 section 3.1, RFC 8037, RFC 9864. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/** Whether an answer gives the proof that its call asks for. `sent` is the body that the answer is to; `now` in milliseconds. */
export function isProven(
  proof: Proof,
  reply: Pick<Reply, "header" | "text">,
  sent: string,
  now: number,
): Promise<boolean> {
  switch (proof.scheme) {
    case "certificate":
      return isSigned(proof.certificate, signatureIn(reply, proof.headers), reply.text, now);
    case "jws-receipt":
      return isReceipt(proof.keys, proof.repeats, reply.text.trim(), sent);
  }
}

const signatureIn = ({ header }: Pick<Reply, "header">, names: readonly string[]): string =>
  names.map(header).find((value) => value !== undefined) ?? "";

async function isSigned(pem: string, signature: string, text: string, now: number): Promise<boolean> {
  const certificate = await importCertificate(pem, "SHA-256");
  const bytes = strictBase64(signature);
  if (certificate === undefined || bytes === undefined || !isInForce(certificate, now)) return false;
  return crypto.subtle.verify("RSASSA-PKCS1-v1_5", certificate.key, bytes, utf8(text));
}

async function isReceipt(keys: string, repeats: string, text: string, sent: string): Promise<boolean> {
  try {
    // The operator's own setting, which the library checks as it imports it.
    const known = [JSON.parse(keys) as JWK | JWK[]].flat();
    const { payload } = await compactVerify(text, createLocalJWKSet({ keys: known }), { algorithms: ALGORITHMS });
    const claims: unknown = JSON.parse(new TextDecoder().decode(payload));
    return typeof claims === "object" && claims !== null && Reflect.get(claims, repeats) === sent;
  } catch (error) {
    // No JSON, no such key, no signature: it is no proof.
    if (error instanceof errors.JOSEError || error instanceof SyntaxError || error instanceof TypeError) return false;
    throw error;
  }
}
