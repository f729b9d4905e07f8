import type { Proven } from "../../contract/signal.ts";
import type { Instant } from "../../ids.ts";
import type { KeySets } from "../../ports.ts";
import { fail, ok, type Result } from "../../result.ts";
import type { Certificate, CertificateHash } from "./certificate.ts";

export type Delivery = {
  readonly method: string;
  /** The address that was registered with the vendor, with the query as it came. */
  readonly url: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly header: (name: string) => string | undefined;
};

export type Refused =
  | { readonly reason: "no_key" }
  | { readonly reason: "malformed"; readonly what: string }
  /** `known`: the sender has shown who it is all the same, and may hear why it is refused. */
  | { readonly reason: "bad_signature"; readonly known?: true }
  | { readonly reason: "stale" }
  /** It was signed for somebody else: another issuer, audience, account or topic. */
  | { readonly reason: "not_for_us"; readonly what: string; readonly known?: true }
  /** The vendor's keys cannot be had now; the sender has to repeat. */
  | { readonly reason: "keys_unavailable" };

export type Verified = Result<Proven, Refused>;

/** All that a scheme is handed besides the delivery. */
export type Means = {
  /** The values of a setting, newest first; none where it is not filled in. */
  readonly values: (setting: string) => Promise<readonly string[]>;
  /** An imported key, made once for as long as the settings are in memory; undefined if the text is no such key. */
  readonly key: (kind: KeyKind, text: string) => Promise<CryptoKey | undefined>;
  /** A certificate and its key, likewise. */
  readonly certificate: (pem: string, hash: CertificateHash) => Promise<Certificate | undefined>;
  readonly keySets: KeySets;
  readonly now: Instant;
};

/** What a key's text is, and what it verifies. */
export type KeyKind =
  | `hmac ${"SHA-256" | "SHA-1"} ${"text" | "hex" | "base64"}`
  | "ed25519 hex"
  | "ed25519 base64"
  | "ecdsa-p256 spki";

/** A setting may name several, separated by commas. */
export const listed = async ({ values }: Pick<Means, "values">, setting: string): Promise<readonly string[]> =>
  (await values(setting)).flatMap((text) => text.split(",").map((each) => each.trim())).filter((each) => each !== "");

export const malformed = (what: string) => fail<Refused>({ reason: "malformed", what });
export const badSignature = fail<Refused>({ reason: "bad_signature" });

/** Only schemes call this, after everything has been checked; and what gives back a delivery that they proved before. */
export const proven = (
  text: string,
  { header }: Pick<Delivery, "header">,
  now: Instant,
  covers: readonly string[] = [],
): { readonly ok: true; readonly value: Proven } =>
  ok({
    text,
    signed: (name) => (covers.includes(name) ? header(name) : undefined),
    claimed: header,
    covers,
    receivedAt: now,
    // The brand is type-level only; schemes are its only makers.
  } as Proven);
