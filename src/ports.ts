import type { JSONWebKeySet } from "jose";
import type { Call, Reply } from "./contract/call.ts";
import type { Identity } from "./contract/identity.ts";
import type { Store } from "./platform/store.ts";
import type { Tenants } from "./registry/load.ts";
import type { Integrations } from "./request/plan.ts";
import type { Result } from "./result.ts";

/**
 * All of the gateway's own cryptography: pseudonyms, derived ids, sealing, and the hierarchy of keys. A subject's,
 * request's or residue's key is wrapped by the tenant's, and the tenant's by the newest master key.
 *
 * Sealed text is `v1.<base64url iv>.<base64url ciphertext and tag>`, AES-256-GCM with a random 96-bit iv (NIST SP 800-38D)
 * and associated data that names what it is and where it belongs, so that nothing can be moved.
 */
export type Vault = {
  /** A new tenant's root, wrapped. */
  readonly newTenant: (number: string) => Promise<string>;
  readonly tenant: (number: string, wrapped: string) => Promise<TenantKeys>;
  /** 256 bits in base64url that only a holder of the newest master key can make of a text, for one purpose. No store is asked. */
  readonly mark: (purpose: string, text: string) => Promise<string>;
  /** Whether it was made of this text for this purpose under any of the master keys. Takes as long whatever differs. */
  readonly isMarked: (purpose: string, text: string, mark: string) => Promise<boolean>;
};

export type TenantKeys = {
  /** A keyed hash under one purpose, 128 bits, base64url. The same person has unlike pseudonyms for unlike purposes and tenants. */
  readonly pseudonym: (purpose: "index" | "suppression", identity: Identity) => Promise<string>;
  /** Both at once, for the cost of one. */
  readonly pseudonyms: (identity: Identity) => Promise<{ readonly index: string; readonly suppression: string }>;
  /** 160 bits derived from text under one purpose, in lower-case letters and digits (base 32). */
  readonly derive: (
    purpose: "request" | "status" | "subject" | "receipt" | "account" | "delivery",
    text: string,
  ) => Promise<string>;
  /** Settings live as long as the tenant, so they are sealed under its own key. */
  readonly sealSetting: (place: string, text: string) => Promise<string>;
  readonly openSetting: (place: string, sealed: string) => Promise<string>;
  readonly newKey: (place: string) => Promise<{ readonly key: SealingKey; readonly wrapped: string }>;
  readonly unwrap: (place: string, wrapped: string) => Promise<SealingKey>;
};

export type SealingKey = {
  readonly seal: (place: string, text: string) => Promise<string>;
  readonly open: (place: string, sealed: string) => Promise<string>;
};

/** What was sealed does not open: another key, another place, or damage. It never says which. */
export class CannotOpen extends Error {
  override readonly name = "CannotOpen";
}

/** What can happen to a call besides an answer. */
export type SendProblem =
  | { readonly reason: "timed_out"; readonly afterMs: number }
  | { readonly reason: "connection_failed" }
  /** Nothing was sent: the key that was entered cannot sign. */
  | { readonly reason: "cannot_sign" }
  | { readonly reason: "too_large"; readonly maxBytes: number }
  | { readonly reason: "forbidden_address"; readonly host: string };

export type Send = (call: Call) => Promise<Result<Reply, SendProblem>>;

/** `done`: the other side has ended it in the proper way. `flooded`: more came than may wait here. */
export type Ended = "done" | "broken" | "flooded";

/** A connection that only tells: text, as it came, in its order. */
export type Heard = {
  /** The messages that wait; else the next to come within this time, and none if none does. Once all were given: how it ended. */
  readonly next: (ms: number) => Promise<readonly string[] | Ended>;
  readonly close: () => void;
};

/** Opens a WebSocket. What is no text, or too long, comes as an empty message. */
export type Listen = (address: string) => Promise<Result<Heard, SendProblem>>;

/** A line with nothing on it, as it came: the other side is there, and had nothing to tell. */
export const ALIVE = "\n";

/** Opens a body of lines with a bearer token. Each is a message, without its end; what is too long comes as an empty one. */
export type Lines = (
  address: string,
  bearer: string,
) => Promise<Result<Heard, SendProblem | { readonly reason: "refused"; readonly status: number }>>;

/** Says that lanes have work. A lost or repeated message costs time and nothing else. */
export type Wake = (lanes: readonly string[]) => Promise<void>;

/** One line of structured log; ids and codes only, never an identity. */
export type Log = (event: string, facts: Readonly<Record<string, string | number | boolean>>) => void;

/** Keys and certificates that vendors publish. */
export type KeySets = {
  /**
   * RFC 7517; undefined: they cannot be had now. `isFresh` asks for what is published now, as often as the server may be asked.
   * One set is one object for as long as it is kept.
   */
  readonly keys: (address: string, isFresh: boolean) => Promise<JSONWebKeySet | undefined>;
  /**
   * A certificate in PEM; or, behind a token, an answer that holds a public key in PEM. `absent`: the server says that there is
   * nothing at this address.
   */
  readonly text: (address: string, behind?: ClientCredentials) => Promise<Result<string, "absent" | "unavailable">>;
};

/** What a token for reading keys is asked for with, by HTTP Basic. RFC 6749 section 4.4. */
export type ClientCredentials = {
  readonly tokenAddress: string;
  readonly scope: string;
  readonly id: string;
  readonly secret: string;
};

/** All that reaches the core from outside. */
export type Ports = {
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array<ArrayBuffer>;
  readonly store: Store;
  readonly tenants: Tenants;
  readonly vault: Vault;
  readonly send: Send;
  readonly listen: Listen;
  readonly lines: Lines;
  readonly wake: Wake;
  /** Goes on after the answer has been given. What fails is logged and costs nobody anything. */
  readonly later: (work: Promise<unknown>) => void;
  readonly log: Log;
  readonly integrations: Integrations;
  readonly signing: SigningKeys;
  readonly keySets: KeySets;
  /** Waits; not at all for what is not positive. Tests give one that does not wait. */
  readonly sleep: (ms: number) => Promise<void>;
  /** The public origin of this gateway, without a trailing slash. */
  readonly origin: string;
};

export type SigningKeys = {
  /** A compact JWS of an explicit type, so that nothing signed for one purpose passes for another (RFC 8725 section 3.11). */
  readonly sign: (typ: string, payload: string) => Promise<string>;
  /** Public keys, newest first, old ones kept. */
  readonly jwks: () => Promise<{ readonly keys: readonly Readonly<Record<string, unknown>>[] }>;
};

/** What a route finds in its context. */
export type App = { Variables: { ports: Ports } };
