import { createReadStream } from "node:fs";
import { fail, ok, type Result } from "../src/result.ts";
import { utf8 } from "./jws.ts";
import { isSafe } from "./origin.ts";
import type { Terminal } from "./terminal.ts";

/** Where something is read from. */
export type Place =
  | { readonly at: "stdin" }
  | { readonly at: "file"; readonly path: string }
  | { readonly at: "url"; readonly url: URL };

/** A receipt of a thousand tasks with their evidence is about one megabyte. */
const MAX_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 20_000;

/** Reads `-`, a path or an address from the command line; refused where the address would not be safe to ask. */
export function parsePlace(value: string): Result<Place, string> {
  if (value === "-") return ok({ at: "stdin" });
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return ok({ at: "file", path: value });
  if (!URL.canParse(value)) return fail("this is not an address that can be read");
  const url = new URL(value);
  if (url.username !== "" || url.password !== "") return fail("an address must not hold a user name or password");
  if (!isSafe(url)) return fail(`${nameOf({ at: "url", url })}: expected https, or http on this machine only`);
  return ok({ at: "url", url });
}

/** How a place is called in messages; an address without its query, which may hold a secret. */
export function nameOf(place: Place): string {
  if (place.at === "stdin") return "standard input";
  return place.at === "file" ? place.path : `${place.url.origin}${place.url.pathname}`;
}

/** Reads a text. `key` goes out as a bearer token to this very address and no other: redirects are not followed. */
export async function readText(
  terminal: Terminal,
  place: Place,
  key?: string,
  maxBytes = MAX_BYTES,
): Promise<Result<string, string>> {
  const name = nameOf(place);
  const read = await readBytes(terminal, place, key, maxBytes);
  if (!read.ok) return fail(`${name} ${read.problem}`);
  const text = utf8(read.value);
  return text === undefined ? fail(`${name} is not UTF-8 text`) : ok(text);
}

async function readBytes(
  terminal: Terminal,
  place: Place,
  key: string | undefined,
  maxBytes: number,
): Promise<Result<Uint8Array, string>> {
  try {
    if (place.at === "stdin") return await bounded(terminal.stdin, maxBytes);
    if (place.at === "file") return await bounded(createReadStream(place.path), maxBytes);
    const reply = await terminal.fetch(place.url, {
      headers: { accept: "application/json", ...(key !== undefined && { authorization: `Bearer ${key}` }) },
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const refusal = refusalOf(reply.status, key !== undefined);
    if (refusal === undefined) return await bounded(reply.body ?? [], maxBytes);
    await reply.body?.cancel();
    return fail(refusal);
  } catch (error) {
    // Files, sockets and fetch reject with an `Error`, whose message may repeat what was sent: only its code is shown.
    if (error instanceof Error) return fail(causeOf(error));
    throw error;
  }
}

async function bounded(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): Promise<Result<Uint8Array, string>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxBytes) return fail(`is longer than ${maxBytes} bytes`);
    parts.push(chunk);
  }
  return ok(Buffer.concat(parts));
}

function refusalOf(status: number, withKey: boolean): string | undefined {
  if (status === 200) return undefined;
  if (status >= 300 && status < 400) return `answered ${status}: redirects are not followed, give the final address`;
  if (status === 401 || status === 403)
    return `answered ${status}: ${withKey ? "the API key does not open it" : "it needs an API key, and none was sent there"}`;
  if (status === 404) return "answered 404: there is no such thing, or not yet";
  return `answered ${status}`;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EISDIR: "is a folder",
  EACCES: "may not be read",
  ECONNREFUSED: "cannot be reached: the connection was refused",
  ENOTFOUND: "cannot be reached: no such host",
};

/** What a file or a connection failed with, without what was sent. */
export function causeOf(error: Error): string {
  if (error.name === "TimeoutError") return `did not answer within ${TIMEOUT_MS / 1000} seconds`;
  const code = codeOf(error) ?? codeOf(error.cause);
  return REASONS[code ?? ""] ?? `could not be read (${code ?? error.name})`;
}

/** Why a gateway gave no answer, without what was sent, and what to do about it. */
export function unreached(error: Error, timeoutMs: number): string {
  const seconds = timeoutMs / 1000;
  if (error.name === "TimeoutError") return `did not answer within ${seconds} seconds`;
  const reason = REASONS[codeOf(error) ?? codeOf(error.cause) ?? ""] ?? "cannot be reached";
  return `${reason}. Is the gateway running? On this machine: npm start`;
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
