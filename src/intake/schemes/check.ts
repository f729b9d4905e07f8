import { joined, sameBytes } from "./bytes.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** More signatures in one delivery than there can be keys while they are rotated is nobody's: each costs a pass over the body. */
export const MAX_SIGNATURES = 8;

/** Whether one of these is the text's keyed hash. It is made once, however many are offered. RFC 2104. */
export async function isHmac(key: CryptoKey, signatures: readonly Bytes[], text: Bytes): Promise<boolean> {
  if (signatures.length === 0) return false;
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, text));
  return signatures.some((signature) => sameBytes(signature, mac));
}

/** Whether one of these is an Ed25519 signature of the text. RFC 8032. */
export async function isEd25519(key: CryptoKey, signatures: readonly Bytes[], text: Bytes): Promise<boolean> {
  // The platform rejects another length instead of saying no.
  for (const signature of signatures)
    if (signature.length === 64 && (await crypto.subtle.verify("Ed25519", key, signature, text))) return true;
  return false;
}

/** Whether one of these is an ECDSA signature of the text, on P-256, in DER. FIPS 186-5. */
export async function isEcdsa(
  key: CryptoKey,
  signatures: readonly Bytes[],
  text: Bytes,
  hash: "SHA-256" | "SHA-1" = "SHA-256",
): Promise<boolean> {
  for (const signature of signatures) {
    const raw = rawEcdsa(signature);
    if (raw !== undefined && (await crypto.subtle.verify({ name: "ECDSA", hash }, key, raw, text))) return true;
  }
  return false;
}

/**
 * ECDSA signatures travel as a DER sequence of two integers (RFC 3279 section 2.2.3); Web Crypto takes the two as 32 bytes
 * each. Anything but the one encoding that DER allows is refused.
 */
function rawEcdsa(der: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  const first = integer(der, 2);
  const second = first === undefined ? undefined : integer(der, first.end);
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || first === undefined || second?.end !== der.length)
    return undefined;
  return joined([first.bytes, second.bytes]);
}

function integer(der: Uint8Array, at: number): { readonly bytes: Uint8Array; readonly end: number } | undefined {
  const length = der[at + 1] ?? 0;
  const end = at + 2 + length;
  if (der[at] !== 0x02 || length < 1 || length > 33 || end > der.length) return undefined;
  const value = der.subarray(at + 2, end);
  const [head = 0, next = 0] = value;
  const isNegative = head >= 0x80;
  const isPadded = length > 1 && head === 0 && next < 0x80;
  if (isNegative || isPadded) return undefined;
  const digits = head === 0 ? value.subarray(1) : value;
  if (digits.length > 32) return undefined;
  return { bytes: joined([new Uint8Array(32 - digits.length), digits]), end };
}
