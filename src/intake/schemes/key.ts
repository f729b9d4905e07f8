import { strictBase64, strictHex, utf8 } from "./bytes.ts";
import type { KeyKind } from "./scheme.ts";

/** Imports a key for verification; undefined where its text is not what its kind says. */
export async function importKey(kind: KeyKind, text: string): Promise<CryptoKey | undefined> {
  const [algorithm, ...rest] = kind.split(" ");
  const bytes = bytesOf(rest.at(-1), text);
  if (bytes === undefined || bytes.length === 0) return undefined;
  try {
    if (algorithm === "hmac")
      return await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: rest[0] ?? "" }, false, ["sign"]);
    if (algorithm === "ed25519") return await crypto.subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]);
    return await crypto.subtle.importKey("spki", bytes, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  } catch (error) {
    // What the platform says of bytes that are no such key.
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

function bytesOf(encoding: string | undefined, text: string): Uint8Array<ArrayBuffer> | undefined {
  if (encoding === "hex") return strictHex(text.toLowerCase());
  if (encoding === "base64" || encoding === "spki") return strictBase64(text);
  return utf8(text);
}
