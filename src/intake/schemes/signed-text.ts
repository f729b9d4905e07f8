import type { Fresh, Hmac, Part, PublicKeySignature, SignatureAt } from "../../contract/verification.ts";
import type { Instant } from "../../ids.ts";
import { fail, ok, type Result } from "../../result.ts";
import { decoded, joined, strictBase64, strictBase64url, strictHex, utf8 } from "./bytes.ts";
import {
  badSignature,
  type Delivery,
  type KeyKind,
  type Means,
  malformed,
  proven,
  type Refused,
  type Verified,
} from "./scheme.ts";

/** A longer signature header is nobody's. */
const MAX_HEADER = 4096;

/** One item for each key that is active while they are rotated, one for the time, and room to spare. */
const MAX_ITEMS = 16;

/** What a signature's header says: the signatures, and the other items of a list, each once. */
type Said = { readonly signatures: readonly Uint8Array<ArrayBuffer>[]; readonly items: ReadonlyMap<string, string> };

/** Checks a signature over a text that is joined from pieces of the delivery: a keyed hash, or a public key's. */
export async function signedText(
  scheme: Hmac | PublicKeySignature,
  delivery: Delivery,
  means: Means,
): Promise<Verified> {
  const texts = await means.values(scheme.key);
  if (texts.length === 0) return fail({ reason: "no_key" });
  const said = saidBy(scheme.signature, delivery.header(scheme.signature.header));
  if (said === undefined) return malformed(scheme.signature.header);
  const text = textOf(scheme.over, delivery, said.items);
  if (!text.ok) return text;
  if (scheme.fresh !== undefined) {
    const fresh = checkFresh(scheme.fresh, delivery, said.items, means.now);
    if (!fresh.ok) return fresh;
  }
  const { kind, algorithm, form } = ways[scheme.scheme](scheme);
  for (const value of texts) {
    const key = await means.key(kind, value);
    if (key === undefined) continue;
    for (const signature of said.signatures) {
      const raw = form(signature);
      if (raw === undefined || !(await crypto.subtle.verify(algorithm, key, raw, text.value))) continue;
      const body = decoded(delivery.body);
      return body.ok ? proven(body.value, delivery, means.now, headersOf(scheme.over)) : body;
    }
  }
  return badSignature;
}

type Way = {
  readonly kind: KeyKind;
  readonly algorithm: { readonly name: string; readonly hash?: string };
  /** The signature as Web Crypto takes it. */
  readonly form: (signature: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | undefined;
};

const asItIs = (signature: Uint8Array<ArrayBuffer>) => signature;

const ways = {
  hmac: (scheme: Hmac | PublicKeySignature): Way => {
    const { hash = "SHA-256", keyEncoding = "text" } = scheme.scheme === "hmac" ? scheme : {};
    return { kind: `hmac ${hash} ${keyEncoding}`, algorithm: { name: "HMAC" }, form: asItIs };
  },
  // The platform throws at a signature of another length; whoever sends one is to be refused like anybody else.
  ed25519: (): Way => ({
    kind: "ed25519 hex",
    algorithm: { name: "Ed25519" },
    form: (signature) => (signature.length === 64 ? signature : undefined),
  }),
  "ecdsa-p256": (): Way => ({
    kind: "ecdsa-p256 spki",
    algorithm: { name: "ECDSA", hash: "SHA-256" },
    form: rawEcdsa,
  }),
} as const;

function saidBy(
  { prefix = "", prefixOptional, encoding, items }: SignatureAt,
  header: string | undefined,
): Said | undefined {
  if (header === undefined || header.length > MAX_HEADER) return undefined;
  const decode = { hex: strictHex, base64: strictBase64, base64url: unpadded }[encoding];
  if (items === undefined) {
    const isPrefixed = header.startsWith(prefix);
    const signature =
      isPrefixed || prefixOptional ? decode(isPrefixed ? header.slice(prefix.length) : header) : undefined;
    return signature === undefined ? undefined : { signatures: [signature], items: new Map() };
  }
  const pieces = header.split(items.separator);
  if (pieces.length > MAX_ITEMS) return undefined;
  const signatures: Uint8Array<ArrayBuffer>[] = [];
  const others = new Map<string, string>();
  for (const piece of pieces) {
    const [name = "", value = ""] = /^([a-z0-9]+)=([^=,;\s]+={0,2})$/.exec(piece)?.slice(1) ?? [];
    if (name === items.name) {
      const signature = decode(value);
      if (signature === undefined) return undefined;
      signatures.push(signature);
    } else if (name === "" || others.has(name)) return undefined;
    else others.set(name, value);
  }
  return signatures.length === 0 ? undefined : { signatures, items: others };
}

const unpadded = (text: string) => (text.endsWith("=") ? undefined : strictBase64url(text));

function textOf(
  parts: readonly Part[],
  delivery: Delivery,
  items: ReadonlyMap<string, string>,
): Result<Uint8Array<ArrayBuffer>, Refused> {
  // The most common text is the body alone, and a body may have a megabyte.
  if (parts.length === 1 && parts[0] === "body") return ok(delivery.body);
  const pieces: Uint8Array[] = [];
  for (const part of parts) {
    const piece = pieceOf(part, delivery, items);
    if (piece === undefined) return malformed(typeof part === "string" ? part : (Object.values(part)[0] ?? ""));
    pieces.push(typeof piece === "string" ? utf8(piece) : piece);
  }
  return ok(joined(pieces));
}

function pieceOf(part: Part, delivery: Delivery, items: ReadonlyMap<string, string>): string | Uint8Array | undefined {
  if (part === "body") return delivery.body;
  if (part === "method") return delivery.method;
  if (part === "url") return delivery.url;
  if (part === "form") return formOf(delivery.body);
  if ("text" in part) return part.text;
  return "header" in part ? delivery.header(part.header) : items.get(part.item);
}

/** The fields in the order of their names, each name with each of its values, the same value once. */
function formOf(body: Uint8Array): string | undefined {
  const text = decoded(body);
  if (!text.ok) return undefined;
  const fields = new URLSearchParams(text.value);
  return [...new Set(fields.keys())]
    .sort()
    .flatMap((name) => [...new Set(fields.getAll(name))].sort().map((value) => name + value))
    .join("");
}

const headersOf = (parts: readonly Part[]): readonly string[] =>
  parts.flatMap((part) => (typeof part === "object" && "header" in part ? [part.header] : []));

function checkFresh(
  { at, unit, withinSeconds }: Fresh,
  { header }: Delivery,
  items: ReadonlyMap<string, string>,
  now: Instant,
): Result<undefined, Refused> {
  const text = "header" in at ? header(at.header) : items.get(at.item);
  const time = text === undefined ? undefined : instantOf(text, unit);
  if (time === undefined) return malformed("time");
  return Math.abs(now - time) <= withinSeconds * 1000 ? ok(undefined) : fail({ reason: "stale" });
}

function instantOf(text: string, unit: Fresh["unit"]): Instant | undefined {
  if (unit !== "rfc3339") {
    if (!/^(0|[1-9]\d{0,13})$/.test(text)) return undefined;
    return Number(text) * (unit === "seconds" ? 1000 : 1);
  }
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/**
 * ECDSA signatures travel as a DER sequence of two integers (RFC 3279 section 2.2.3); Web Crypto takes the two as 32 bytes
 * each. Anything but the one encoding that DER allows is refused.
 */
export function rawEcdsa(der: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
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
