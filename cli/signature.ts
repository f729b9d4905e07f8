import { compactVerify, errors, importJWK } from "jose";
import { fail, ok, type Result } from "../src/result.ts";
import { bytesOf, type Jws } from "./jws.ts";
import { list, object, optional, parseJson, text } from "./shape.ts";

/** Ed25519 by its own name (RFC 9864); `EdDSA` is the older name for the same, which is still accepted. */
const ALGORITHMS: readonly string[] = ["Ed25519", "EdDSA"];

const Jwks = object({
  keys: list(
    object({
      kty: text,
      kid: optional(text),
      crv: optional(text),
      x: optional(text),
      use: optional(text),
      alg: optional(text),
    }),
  ),
});
export type PublicKey = NonNullable<ReturnType<typeof Jwks> & { ok: true }>["value"]["keys"][number];

/** The keys of a JWK set (RFC 7517). Keys of other kinds may stand beside those that sign receipts. */
export function parseJwks(source: string): Result<readonly PublicKey[], string> {
  const parsed = parseJson(source.trim(), "the key set");
  if (!parsed.ok) return parsed;
  const jwks = Jwks(parsed.value, "the key set");
  return jwks.ok ? ok(jwks.value.keys) : jwks;
}

export const isAllowed = (alg: string | undefined): boolean => alg !== undefined && ALGORITHMS.includes(alg);

/** Whether one of the published keys signed this; returns that key's id, or why it did not. */
export async function checkSignature(jws: Jws, keys: readonly PublicKey[]): Promise<Result<string, string>> {
  const { alg, kid } = jws;
  if (alg === undefined || !isAllowed(alg)) return fail("not looked at: the algorithm is not one that receipts use");
  if (kid === undefined) return fail("the header names no key");
  const named = keys.filter((key) => key.kid === kid);
  if (named.length === 0) return fail(`no published key has the id ${kid}`);
  const usable = named.filter(signs);
  if (usable.length === 0) return fail(`the published key ${kid} is not an Ed25519 key for signatures`);
  for (const { x } of usable) if (await isSignedBy(jws.text, alg, x ?? "")) return ok(kid);
  return fail(`the signature is not by the published key ${kid}`);
}

const signs = ({ kty, crv, x, use, alg }: PublicKey): boolean =>
  kty === "OKP" &&
  crv === "Ed25519" &&
  bytesOf(x ?? "")?.length === 32 &&
  (use === undefined || use === "sig") &&
  (alg === undefined || isAllowed(alg));

async function isSignedBy(jws: string, alg: string, x: string): Promise<boolean> {
  try {
    await compactVerify(jws, await importJWK({ kty: "OKP", crv: "Ed25519", x }, alg), { algorithms: [...ALGORITHMS] });
    return true;
  } catch (error) {
    // jose's refusals, and Web Crypto's of 32 bytes that are no point of the curve.
    if (error instanceof errors.JOSEError || error instanceof DOMException) return false;
    throw error;
  }
}
