/** What a self-signed certificate needs of its key. */
export type CertificateKey = {
  readonly spki: Uint8Array;
  /** RSASSA-PKCS1-v1_5 with SHA-256. */
  readonly sign: (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
};

export type CertificateFacts = { readonly commonName: string; readonly from?: string; readonly until?: string };

/**
 * An X.509 certificate in PEM (RFC 5280, RFC 7468) by which whoever has this key vouches for itself, made by hand from DER. The
 * same key and facts give the same certificate. For development and tests only.
 */
export async function selfSigned(
  { spki, sign }: CertificateKey,
  { commonName, from = "2020-01-01T00:00:00Z", until = "2049-01-01T00:00:00Z" }: CertificateFacts,
): Promise<string> {
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
  const der = sequence(signed, SHA256_WITH_RSA, tagged(0x03, [0, ...(await sign(signed))]));
  const text = btoa(String.fromCharCode(...der));
  return `-----BEGIN CERTIFICATE-----\n${text.replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
}

const encoder = new TextEncoder();

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
