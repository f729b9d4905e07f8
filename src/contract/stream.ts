import { ok, type Result } from "../result.ts";
import type { Call, Reply } from "./call.ts";
import type { Identity } from "./identity.ts";
import type { Hook } from "./integration.ts";
import type { SignalType, Unreadable, VendorEvent } from "./signal.ts";

/**
 * A public stream of events that a vendor offers instead of calling us: a WebSocket that tells of everybody, known here or
 * not. One connection serves all tenants; the core finds out whom each event concerns, and forgets the strangers.
 *
 * What is read is not signed: it is as true as TLS and the operator of the stream are.
 */
export type Stream = Pick<Hook, "authority" | "deadlines" | "confirm"> & {
  /** The page that states the wire format. */
  readonly source: string;
  /** Declared origins that offer the same stream, in the order in which they are tried. */
  readonly origins: readonly [string, ...string[]];
  /** The `wss:` address at one of them, from a cursor on. */
  readonly address: (origin: string, cursor: string) => string;
  /** The cursor of a moment, in epoch milliseconds: where reading begins when it begins. */
  readonly begin: (at: number) => string;
  /**
   * How far back reading begins anew, in seconds: what is told twice is known by its id. More at another origin, whose
   * clock or order may differ.
   */
  readonly rewindSeconds: { readonly same: number; readonly other: number };
  readonly rewind: (cursor: string, seconds: number) => string;
  /** How long the stream remembers: an older cursor has missed something. */
  readonly lookbackHours: number;
  /** Reads one message, whoever sent whatever. */
  readonly read: (message: string) => Result<Told, Unreadable>;
  /** The names of events that `read` may give: they are counted, and others are not. */
  readonly events: readonly string[];
};

export type Told = {
  /** The place in the stream after this message. */
  readonly cursor: string;
  /** When the stream says that it is, in epoch milliseconds. */
  readonly at: number;
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
