import type { Fresh, Hmac, Part, PublicKeySignature, SignatureAt } from "../../contract/verification.ts";
import type { Instant } from "../../ids.ts";
import { fail, ok, type Result } from "../../result.ts";
import { decoded, hexOf, joined, strictBase64, strictBase64url, strictHex, utf8 } from "./bytes.ts";
import { isEcdsa, isEd25519, isHmac, MAX_SIGNATURES } from "./check.ts";
import { forUs } from "./expected.ts";
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

/** A longer header is nobody's signature. */
const MAX_HEADER = 4096;

/** The signatures, one item for the time, and room to spare. */
const MAX_ITEMS = 16;

/** What a signature's header says: the signatures, and the other items of a list, each once. */
type Said = { readonly signatures: readonly Uint8Array<ArrayBuffer>[]; readonly items: ReadonlyMap<string, string> };

/** Checks a signature over a text that is joined from pieces of the delivery: a keyed hash, or a public key's. */
export async function signedText(
  scheme: Hmac | PublicKeySignature,
  delivery: Delivery,
  means: Means,
): Promise<Verified> {
  const { signature, over, fresh, bodyDigest, expects = [] } = scheme;
  const values = await means.values(scheme.key);
  if (values.length === 0) return fail({ reason: "no_key" });
  const said = saidBy(signature, delivery.header(signature.header));
  if (said === undefined) return malformed(signature.header);
  const timely = fresh === undefined ? ok(undefined) : checkFresh(fresh, delivery, said.items, means.now);
  if (!timely.ok) return timely;
  const text = textOf(over, delivery, said.items);
  if (!text.ok) return text;
  if (bodyDigest !== undefined && !(await isDigestOf(bodyDigest.query, delivery))) return malformed(bodyDigest.query);
  const { kind, check } = wayOf(scheme);
  let hasKey = false;
  for (const value of values) {
    const key = await means.key(kind, value);
    if (key === undefined) continue;
    hasKey = true;
    if (!(await check(key, said.signatures, text.value))) continue;
    const body = decoded(delivery.body);
    if (!body.ok) return body;
    const meant = await forUs(expects, body.value, means);
    return meant.ok ? proven(body.value, delivery, means.now, headersOf(over)) : meant;
  }
  return hasKey ? badSignature : fail({ reason: "no_key" });
}

function wayOf(scheme: Hmac | PublicKeySignature): { readonly kind: KeyKind; readonly check: typeof isHmac } {
  switch (scheme.scheme) {
    case "hmac":
      return { kind: `hmac ${scheme.hash} ${scheme.keyEncoding ?? "text"}`, check: isHmac };
    case "ed25519":
      return { kind: "ed25519 hex", check: isEd25519 };
    case "ecdsa-p256":
      return { kind: "ecdsa-p256 spki", check: isEcdsa };
  }
}

function saidBy({ prefix = "", encoding, items }: SignatureAt, header: string | undefined): Said | undefined {
  if (header === undefined || header.length > MAX_HEADER) return undefined;
  const decode = { hex: strictHex, base64: strictBase64, base64url: unpadded }[encoding];
  if (items === undefined) {
    const bare = withoutPrefix(prefix, header);
    const signature = bare === undefined ? undefined : decode(bare);
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
  const isUsual = signatures.length > 0 && signatures.length <= MAX_SIGNATURES;
  return isUsual ? { signatures, items: others } : undefined;
}

function withoutPrefix(prefix: NonNullable<SignatureAt["prefix"]>, header: string): string | undefined {
  const text = typeof prefix === "string" ? prefix : prefix.optional;
  if (header.startsWith(text)) return header.slice(text.length);
  return typeof prefix === "string" ? undefined : header;
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
  return "header" in part ? headerPiece(delivery.header(part.header)) : items.get(part.item);
}

/**
 * A header that is signed together with a body often touches it, so that the same text could be cut at another place. Ids and
 * times have no character with which a JSON text begins or ends, so what has one is refused, as is what is not ASCII: other
 * bytes do not reach us as they were sent.
 */
function headerPiece(value: string | undefined): string | undefined {
  return value !== undefined && value.length <= 256 && /^[ -~]+$/.test(value) && !/[[\]{}"]/.test(value)
    ? value
    : undefined;
}

/** Where only the address is signed, it names the body's SHA-256 in hex. */
async function isDigestOf(query: string, { url, body }: Delivery): Promise<boolean> {
  const [given, ...more] = new URL(url).searchParams.getAll(query);
  return more.length === 0 && given === hexOf(await crypto.subtle.digest("SHA-256", body));
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
