import { base64url } from "jose";
import { RECEIPT_TYP, type Receipt } from "./receipt.ts";

/**
 * A closed request is kept as its receipt: the signed text itself, so that what is handed out years later is to the letter
 * what was signed. Its header is the same for all but the key's id; its payload is deflated (RFC 1951). All is written seven
 * bits a character, which Redis keeps as one byte each and JSON carries unharmed: 32 bytes of key id (RFC 7638), 64 of
 * signature (RFC 8032), then the payload.
 */
export async function compact(jws: string): Promise<string> {
  const [header = "", payload = "", signature = ""] = jws.split(".");
  const { kid } = JSON.parse(text(base64url.decode(header))) as { kid: string }; // Signed by us, with this member.
  if (headerOf(kid) !== header) throw new Error("this is not a receipt of ours");
  const packed = await through(new Uint8Array(base64url.decode(payload)), new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(KEY_ID + SIGNATURE + packed.length);
  bytes.set(base64url.decode(kid));
  bytes.set(base64url.decode(signature), KEY_ID);
  bytes.set(packed, KEY_ID + SIGNATURE);
  return sevenBits(bytes);
}

export async function expand(packed: string): Promise<string> {
  const bytes = eightBits(packed);
  const kid = base64url.encode(bytes.subarray(0, KEY_ID));
  const signature = base64url.encode(bytes.subarray(KEY_ID, KEY_ID + SIGNATURE));
  const payload = await through(bytes.slice(KEY_ID + SIGNATURE), new DecompressionStream("deflate-raw"));
  return `${headerOf(kid)}.${base64url.encode(payload)}.${signature}`;
}

const KEY_ID = 32;
const SIGNATURE = 64;

/** A closed request's record: `<place in the log>.<compact receipt>`, as the closing script joins them. */
export function closedRecord(record: string): { readonly index: number; readonly packed: string } {
  const cut = record.indexOf(".");
  return { index: Number(record.slice(0, cut)), packed: record.slice(cut + 1) };
}

/** The receipt in a JWS of ours: signed by `close`, from a Receipt. */
export const receiptIn = (jws: string): Receipt =>
  JSON.parse(text(base64url.decode(jws.split(".")[1] ?? ""))) as Receipt;

/** The header as `signing` writes it: these members in this order. */
const headerOf = (kid: string): string => base64url.encode(JSON.stringify({ alg: "Ed25519", kid, typ: RECEIPT_TYP }));

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const through = async (
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());

function sevenBits(bytes: Uint8Array): string {
  const characters: string[] = [];
  let value = 0;
  let bits = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 7) {
      bits -= 7;
      characters.push(String.fromCharCode((value >>> bits) & 127));
    }
    value &= (1 << bits) - 1;
  }
  if (bits > 0) characters.push(String.fromCharCode((value << (7 - bits)) & 127));
  return characters.join("");
}

function eightBits(characters: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.floor((characters.length * 7) / 8));
  let at = 0;
  let value = 0;
  let bits = 0;
  for (let index = 0; index < characters.length; index++) {
    value = (value << 7) | characters.charCodeAt(index);
    bits += 7;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (value >>> bits) & 255;
    value &= (1 << bits) - 1;
  }
  return bytes;
}
