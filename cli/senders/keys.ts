import { exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWK, SignJWT } from "jose";
import type { Occasion } from "./sender.ts";

/**
 * Stands for the private key of a vendor that publishes its public ones, in development and tests only: nobody but the vendor
 * has the real one. The sandbox publishes `keys` at the vendor's address.
 */
export type VendorKey = {
  readonly token: Occasion["token"];
  readonly keys: JSONWebKeySet;
  readonly jwk: JWK;
};

/** The name of its file, beside the data of `npm start`. */
export const VENDOR_KEY_FILE = "vendor-key.json";

const ALGORITHM = "RS256";
const KID = "dev_vendor_key";

export async function newVendorKey(): Promise<VendorKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  return vendorKeyOf(await exportJWK(privateKey));
}

export async function vendorKeyOf(jwk: JWK): Promise<VendorKey> {
  const key = await importJWK(jwk, ALGORITHM);
  const { kty, n, e } = jwk;
  if (kty !== "RSA" || n === undefined || e === undefined) throw new TypeError("expected an RSA key");
  return {
    token: (claims, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, kid: KID, ...header }).sign(key),
    keys: { keys: [{ kty, n, e, kid: KID, alg: ALGORITHM, use: "sig" }] },
    jwk,
  };
}
