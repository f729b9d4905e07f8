import { exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWK, SignJWT } from "jose";
import { selfSigned } from "./certificate.ts";
import { base64, type Occasion } from "./sender.ts";

/**
 * Stands for the private key of a vendor that publishes its public ones, in development and tests only: nobody but the vendor
 * has the real one. The sandbox publishes `keys` at the vendor's address.
 */
export type VendorKey = {
  readonly token: Occasion["token"];
  readonly sign: Occasion["sign"];
  readonly keys: JSONWebKeySet;
  /** The same key with a name, in PEM, for vendors that publish certificates. */
  readonly certificate: (commonName: string) => Promise<string>;
  readonly jwk: JWK;
};

/** The name of its file, beside the data of `npm start`. */
export const VENDOR_KEY_FILE = "vendor-key.json";

const ALGORITHM = "RS256";
const RSA = "RSASSA-PKCS1-v1_5";
const KID = "dev_vendor_key";

export async function newVendorKey(): Promise<VendorKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  return vendorKeyOf(await exportJWK(privateKey));
}

export async function vendorKeyOf(jwk: JWK): Promise<VendorKey> {
  const key = await importJWK(jwk, ALGORITHM);
  const { kty, n, e } = jwk;
  if (kty !== "RSA" || n === undefined || e === undefined) throw new TypeError("expected an RSA key");
  const sign = async (bytes: Uint8Array<ArrayBuffer>, hash: "SHA-1" | "SHA-256") => {
    // Without what it may be used for, which names one hash only.
    const { alg: _, key_ops: __, ...any } = jwk;
    const own = await crypto.subtle.importKey("jwk", any, { name: RSA, hash }, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign(RSA, own, bytes));
  };
  return {
    sign: async (text, hash) => base64(await sign(new TextEncoder().encode(text), hash)),
    certificate: async (commonName) => {
      const half = await crypto.subtle.importKey("jwk", { kty, n, e }, { name: RSA, hash: "SHA-256" }, true, [
        "verify",
      ]);
      const spki = new Uint8Array(await crypto.subtle.exportKey("spki", half));
      return selfSigned({ spki, sign: (bytes) => sign(bytes, "SHA-256") }, { commonName });
    },
    token: (claims, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, kid: KID, ...header }).sign(key),
    keys: { keys: [{ kty, n, e, kid: KID, alg: ALGORITHM, use: "sig" }] },
    jwk,
  };
}
