import { base64url } from "jose";
import { ok, type Result } from "../../result.ts";
import { malformed, type Refused } from "./scheme.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export const utf8 = (text: string) => new Uint8Array(encoder.encode(text));

export function decoded(bytes: Uint8Array): Result<string, Refused> {
  try {
    return ok(decoder.decode(bytes));
  } catch (error) {
    if (error instanceof TypeError) return malformed("not UTF-8");
    throw error;
  }
}

/** RFC 4648 section 5, with or without padding; anything else is refused rather than skipped. */
export function strictBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bare = text.replace(/={1,2}$/, "");
  if (!/^[A-Za-z0-9_-]+$/.test(bare) || bare.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(base64url.decode(bare));
  // Unused trailing bits must be zero, or two texts would name the same bytes.
  return base64url.encode(bytes) === bare ? bytes : undefined;
}

/** RFC 4648 section 4, padded. */
export function strictBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0 || /[-_]/.test(text)) return undefined;
  return strictBase64url(text.replaceAll("+", "-").replaceAll("/", "_"));
}

/** Pairs of lower-case hexadecimal digits. */
export function strictHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length === 0 || text.length % 2 !== 0 || !/^[0-9a-f]+$/.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

export const hexOf = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

export const base64Of = (bytes: ArrayBuffer): string => btoa(String.fromCharCode(...new Uint8Array(bytes)));

export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Whether two are the same, in a time that does not depend on where they differ. Lengths are no secret. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.reduce((unlike, byte, at) => unlike | (byte ^ (b[at] ?? 0)), 0) === 0;

/** Whether two secrets are the same, in a time that says nothing of either, not even its length. */
export async function sameSecret(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([a, b].map(async (text) => new Uint8Array(await digest(text))));
  return x !== undefined && y !== undefined && sameBytes(x, y);
}

const digest = (text: string) => crypto.subtle.digest("SHA-256", utf8(text));
