/**
 * An X.509 certificate for tests, and the key that goes with it: self-signed, made by hand from DER (RFC 5280), so that no
 * private key is kept anywhere.
 */
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
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  const name = sequence(tagged(0x31, sequence(COMMON_NAME, tagged(0x0c, encoder.encode(commonName)))));
  const signed = sequence(
    tagged(0xa0, tagged(0x02, [2])),
    tagged(0x02, [1]),
    SHA256_WITH_RSA,
    name,
    sequence(utcTime(from), utcTime(until)),
    name,
    spki,
  );
  const signature = await crypto.subtle.sign(algorithm.name, pair.privateKey, signed);
  const der = sequence(signed, SHA256_WITH_RSA, tagged(0x03, [0, ...new Uint8Array(signature)]));
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", pair.privateKey);
  return {
    pem: `-----BEGIN CERTIFICATE-----\n${base64(der).replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`,
    sign: async (text, hash = "SHA-256") => {
      const key = await crypto.subtle.importKey("pkcs8", pkcs8, { ...algorithm, hash }, false, ["sign"]);
      return base64(new Uint8Array(await crypto.subtle.sign(algorithm.name, key, encoder.encode(text))));
    },
  };
}

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

function tagged(tag: number, content: Iterable<number>): Uint8Array<ArrayBuffer> {
  const bytes = [...content];
  const { length } = bytes;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return new Uint8Array([tag, ...size, ...bytes]);
}

const sequence = (...parts: readonly Uint8Array[]) =>
  tagged(
    0x30,
    parts.flatMap((part) => [...part]),
  );

/** Years until 2049. */
const utcTime = (time: string) => tagged(0x17, encoder.encode(time.slice(2).replace(/[-:T]/g, "")));

/** 2.5.4.3, and 1.2.840.113549.1.1.11 with its NULL. */
const COMMON_NAME = tagged(0x06, [0x55, 0x04, 0x03]);
const SHA256_WITH_RSA = sequence(
  tagged(0x06, [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b]),
  tagged(0x05, []),
);
