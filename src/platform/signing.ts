import { CompactSign, calculateJwkThumbprint, importJWK, type JWK } from "jose";
import type { SigningKeys } from "../ports.ts";

/**
 * Signs receipts with the newest key and publishes the public halves of all. Ed25519 by its own name (RFC 9864); the key
 * id is the RFC 7638 thumbprint, which anyone can compute.
 */
export function signingKeys(jwks: readonly JWK[]): SigningKeys {
  let newest: { key: CryptoKey; kid: string } | undefined;
  const load = async () => {
    const [jwk] = jwks;
    if (jwk === undefined) throw new Error("there is no signing key");
    const key = await importJWK({ ...jwk, alg: "Ed25519" }, "Ed25519");
    if (!(key instanceof CryptoKey)) throw new Error("the signing key is not an Ed25519 key");
    return { key, kid: await calculateJwkThumbprint(jwk) };
  };
  return {
    sign: async (typ, payload) => {
      newest ??= await load();
      const { key, kid } = newest;
      return new CompactSign(new TextEncoder().encode(payload))
        .setProtectedHeader({ alg: "Ed25519", kid, typ })
        .sign(key);
    },
    jwks: async () => ({
      keys: await Promise.all(
        jwks.map(async (jwk) => ({
          kty: jwk.kty,
          crv: jwk.crv,
          x: jwk.x,
          kid: await calculateJwkThumbprint(jwk),
          alg: "Ed25519",
          use: "sig",
        })),
      ),
    }),
  };
}
