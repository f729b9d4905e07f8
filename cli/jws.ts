import { base64url } from "jose";
import { fail, ok, type Result } from "../src/result.ts";
import { isObject, object, optional, parseJson, textThat } from "./shape.ts";

/** A compact JWS that has been taken apart. Nothing in it is proven yet. */
export type Jws = {
  /** To the letter what was signed, and what the log's leaf is the hash of. */
  readonly text: string;
  readonly typ: string | undefined;
  readonly alg: string | undefined;
  readonly kid: string | undefined;
  readonly payload: Readonly<Record<string, unknown>>;
};

/** These are repeated in messages before anything is proven, so they stay short. */
const short = textThat((value) => value !== "" && value.length <= 200, "a short text");

const Header = object({ typ: optional(short), alg: optional(short), kid: optional(short) });

/**
 * Takes a compact JWS apart (RFC 7515 section 3.1), strictly: one spelling only for the same bytes, so that no second
 * text passes for the one that was signed and logged. A key or an address in the header is never looked at.
 */
export function parseJws(source: string): Result<Jws, string> {
  const parts = source.split(".");
  const [first = "", second = "", third = ""] = parts;
  if (parts.length !== 3) return fail("it is not a compact JWS: expected three parts with dots between them");
  const [head, body] = [json(first, "the header"), json(second, "the payload")];
  if (!head.ok) return head;
  if (!body.ok) return body;
  if (bytesOf(third) === undefined) return fail("the signature is not base64url");
  if (Object.hasOwn(head.value, "crit")) return fail("the header demands extensions that are not known here");
  const header = Header(head.value, "header");
  return header.ok ? ok({ ...header.value, text: source, payload: body.value }) : header;
}

/** The bytes of a base64url text in its one canonical spelling, without padding or stray bits. */
export function bytesOf(encoded: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(encoded) || encoded.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(base64url.decode(encoded));
  return base64url.encode(bytes) === encoded ? bytes : undefined;
}

function json(part: string, what: string): Result<Readonly<Record<string, unknown>>, string> {
  const bytes = bytesOf(part);
  const decoded = bytes === undefined ? undefined : utf8(bytes);
  if (decoded === undefined) return fail(`${what} is not base64url of UTF-8 text`);
  const parsed = parseJson(decoded, what);
  if (!parsed.ok) return parsed;
  return isObject(parsed.value) ? ok(parsed.value) : fail(`${what} is not a JSON object`);
}

/** The text, unless the bytes are not UTF-8. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
