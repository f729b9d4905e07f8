import { z } from "zod";
import { fail, ok, type Result } from "../result.ts";
import type { Identity } from "./identity.ts";
import type { StreamNews } from "./transmitter.ts";

/** What a proven delivery means. */
export type SignalType =
  | "erasure_requested"
  | "account_deleted"
  /** The grant is gone; a `token_revoked` says so of one token. */
  | "deauthorized"
  | "token_revoked"
  /** Suspended or deactivated, which may be lifted: never an erasure. */
  | "account_disabled"
  | "account_restored"
  /** A post, a file, a message: no exercise of a right. It is told in bulk to those who may hold a copy. */
  | "content_deleted"
  | "consent_withdrawn"
  | "access_requested";

export type Signal = {
  readonly type: SignalType;
  readonly identity: Identity;
  /** When it happened, by the sender's clock, in epoch milliseconds: an older connection's end cannot end a newer one. */
  readonly at: number;
};

/** A delivery that the vendor has proven to be its own. Only `verify` makes it, and only it can be read. */
export type Proven = {
  /** What was signed: the body, or what the scheme takes out of it. */
  readonly text: string;
  /** A header that the signature covers, in lower case; undefined for every other. */
  readonly signed: (header: string) => string | undefined;
  /**
   * A header that nothing vouches for. It may tell apart kinds of delivery whose bodies differ anyway; it never says whom
   * something concerns, or that it is an erasure.
   */
  readonly claimed: (header: string) => string | undefined;
  /** The names of the headers that the signature covers. */
  readonly covers: readonly string[];
  /** When it arrived here, for vendors that sign no time. Epoch milliseconds. */
  readonly receivedAt: number;
  readonly brand: unique symbol;
};

/** One thing that happened, of the one or many that a delivery tells. */
export type VendorEvent = {
  /** The vendor's own id of it, by which a repeat is recognised, however deliveries are cut; else a stated rule. */
  readonly id: string;
  /** The vendor's name of it. */
  readonly name: string;
  /** None: known, and of no concern here. It is counted. */
  readonly signals: readonly Signal[];
  /** The vendor says that it will tell less, or nothing more: it is said to operators, in the log. Only where there are no signals. */
  readonly alarm?: true;
  readonly stream?: StreamNews;
};

export type Reading = readonly VendorEvent[];

export type Unreadable = { readonly reason: "unreadable"; readonly at: string };

export type Read = (proven: Proven) => Result<Reading, Unreadable>;

/** A vendor's time in whole Unix seconds, no later than any date can be. */
export const UnixSeconds = z
  .int()
  .nonnegative()
  .max(8_640_000_000_000 - 1);

/** The last moment that a time in whole seconds may mean: what happened in the second of a connection is not older than it. */
export const withinSecond = (seconds: number): number => seconds * 1000 + 999;

/** A vendor's time as text with its zone, in epoch milliseconds. */
export const Rfc3339 = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

export const unreadable = (at: string) => fail<Unreadable>({ reason: "unreadable", at });

/** Reads proven JSON by a schema. The error names the place that did not fit, never the value. */
export const json =
  <S extends z.ZodType>(schema: S, meaning: (body: z.infer<S>, proven: Proven) => Reading): Read =>
  (proven) => {
    const parsed = parse(schema, proven.text);
    return parsed.ok ? ok(meaning(parsed.value, proven)) : parsed;
  };

/** Reads one line of a vendor's list by a schema. Nobody has proven it. */
export const jsonLine =
  <S extends z.ZodType>(schema: S, meaning: (row: z.infer<S>, receivedAt: number) => Reading) =>
  (line: string, receivedAt: number): Result<Reading, Unreadable> => {
    const parsed = parse(schema, line);
    return parsed.ok ? ok(meaning(parsed.value, receivedAt)) : parsed;
  };

/** Reads a proven form, by name. A field that stands twice is unreadable: a signature over sorted fields does not say which was last. */
export const form =
  <S extends z.ZodType>(schema: S, meaning: (fields: z.infer<S>, proven: Proven) => Reading): Read =>
  (proven) => {
    const fields = [...new URLSearchParams(proven.text)];
    if (new Set(fields.map(([name]) => name)).size < fields.length) return unreadable("body");
    const parsed = fitting(schema, Object.fromEntries(fields));
    return parsed.ok ? ok(meaning(parsed.value, proven)) : parsed;
  };

/** Text that holds JSON, as some vendors put into a field of their JSON. */
export function parse<S extends z.ZodType>(schema: S, text: string): Result<z.infer<S>, Unreadable> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return unreadable("body");
    throw error;
  }
  return fitting(schema, body);
}

function fitting<S extends z.ZodType>(schema: S, body: unknown): Result<z.infer<S>, Unreadable> {
  const parsed = schema.safeParse(body);
  return parsed.success ? ok(parsed.data) : unreadable(parsed.error.issues[0]?.path.join(".") || "body");
}
