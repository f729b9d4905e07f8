import { selfSigned } from "../../cli/senders/certificate.ts";

/** An X.509 certificate for tests, and the key that goes with it: self-signed, so that no private key is kept anywhere. */
export type TestCertificate = {
  readonly pem: string;
  /** RSASSA-PKCS1-v1_5, in base64. */
  readonly sign: (text: string, hash?: "SHA-1" | "SHA-256") => Promise<string>;
};

const encoder = new TextEncoder();

export async function newCertificate({
  commonName = "sns.amazonaws.com",
  from = "2020-01-01T00:00:00Z",
  until = "2049-01-01T00:00:00Z",
  bits = 2048,
} = {}): Promise<TestCertificate> {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const pair = await crypto.subtle.generateKey(
    { ...algorithm, modulusLength: bits, publicExponent: new Uint8Array([1, 0, 1]) },
    true,
    ["sign", "verify"],
  );
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", pair.privateKey);
  const signedBy = (key: CryptoKey) => async (bytes: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await crypto.subtle.sign(algorithm.name, key, bytes));
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  return {
    pem: await selfSigned({ spki, sign: signedBy(pair.privateKey) }, { commonName, from, until }),
    sign: async (text, hash = "SHA-256") => {
      const key = await crypto.subtle.importKey("pkcs8", pkcs8, { ...algorithm, hash }, false, ["sign"]);
      return btoa(String.fromCharCode(...(await signedBy(key)(encoder.encode(text)))));
    },
  };
}
