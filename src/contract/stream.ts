import { ok, type Result } from "../result.ts";
import type { Call, Reply } from "./call.ts";
import type { Identity } from "./identity.ts";
import type { Hook } from "./integration.ts";
import type { SignalType, Unreadable, VendorEvent } from "./signal.ts";

/**
 * Events that a vendor offers for us to listen to, instead of calling us. The core finds out whom each concerns, and forgets
 * the strangers.
 *
 * What is read is not signed: it is as true as TLS and the operator of the stream are.
 */
export type Stream = PublicStream | OwnStream;

type Facts = Pick<Hook, "authority" | "deadlines" | "confirm"> & {
  /** The page that states the wire format. */
  readonly source: string;
  /** Declared origins that offer the same stream, in the order in which they are tried. */
  readonly origins: readonly [string, ...string[]];
  /** How long the stream remembers: an older cursor has missed something. */
  readonly lookbackHours: number;
  /** Reads one message, whoever sent whatever. */
  readonly read: (message: string) => Result<Told, Unreadable>;
  /** The names of events that `read` may give: they are counted, and others are not. */
  readonly events: readonly string[];
};

/** A WebSocket that tells everybody of everybody: one connection, which is held, serves all tenants. */
export type PublicStream = Facts & {
  readonly reach: "everybody";
  /** The `wss:` address at one of the origins, from a cursor on. */
  readonly address: (origin: string, cursor: string) => string;
  /** The cursor of a moment, in epoch milliseconds: where reading begins when it begins. */
  readonly begin: (at: number) => string;
  /**
   * How far back reading begins anew, in seconds: what is told twice is known by its id. More at another origin, whose
   * clock or order may differ.
   */
  readonly rewindSeconds: { readonly same: number; readonly other: number };
  readonly rewind: (cursor: string, seconds: number) => string;
};

/**
 * A body of lines that a vendor gives to its customer's own credential, for that tenant alone to hear. Its parts are visited,
 * one after the other, and none is held: a cursor is a time. An empty line says that the vendor is there and has nothing to
 * tell.
 */
export type OwnStream = Facts & {
  readonly reach: "tenant";
  /** The secret setting whose value is shown as a bearer token. Where it is not filled in, nothing is read. */
  readonly bearer: string;
  /** All are needed: each tells something else. */
  readonly parts: readonly [string, ...string[]];
  /** So far before the cursor a visit begins: what was told late, or by another clock, is told again. */
  readonly overlapSeconds: number;
  /** The `https:` address of a part as it goes on, after all that it told in the last minutes, from 1 to `mostMinutes`. */
  readonly follow: {
    readonly mostMinutes: number;
    readonly address: (origin: string, part: string, minutes: number) => string;
  };
  /** The same of a time that has passed, in epoch milliseconds of whole seconds; at its end the body ends. */
  readonly replay: {
    readonly mostMinutes: number;
    readonly address: (origin: string, part: string, from: number, to: number) => string;
  };
};

export type Told = {
  /** The place in the stream after this message, and when the stream says that it is; undefined: it does not say. */
  readonly place?: { readonly cursor: string; readonly at: number };
  readonly events: readonly StreamEvent[];
};

/** What a message says, where it could be read. */
export const tells = (told: Told): Result<Told, Unreadable> => ok(told);

export type StreamEvent = VendorEvent & {
  /**
   * By which of these somebody may be known whom it concerns; where nobody is, it is not recorded. A shared type with the
   * value of the signal's own identity is the same thing under another name, and is recorded with it.
   */
  readonly knownBy: readonly Identity[];
};

/**
 * Asks whoever knows whether it is so, before anything is done that cannot be undone: for signals that nobody vouches for.
 * Calls may go to the integration's origins, and to public hosts that their replies name.
 */
export type Confirmation = {
  readonly source: string;
  readonly signals: readonly SignalType[];
  /** Each attempt starts from the top. Whatever is not documented is `unknown`: it is asked again later. */
  run(identity: Identity): Generator<Call, Verdict, Reply>;
};

export type Verdict = "confirmed" | "contradicted" | "unknown";
