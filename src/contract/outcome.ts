import type { Identity } from "./identity.ts";

/** Something that a holder keeps after an erasure, on a stated ground, until a stated date. */
export type Kept = {
  readonly category: string;
  /** RFC 3339 date-time in UTC; what is kept is gone, or erased by us, at that time. */
  readonly until: string;
  readonly ground: string;
};

/** What an action finds out and claims. Nothing becomes `erased` by default. */
export type Outcome =
  | { readonly outcome: "erased" | "revoked" | "informed" | "not_found" }
  /** `because` says what was done in place of what the holder cannot do; the receipt repeats it. */
  | { readonly outcome: "stopped"; readonly because?: string }
  | {
      readonly outcome: "retained";
      readonly category: string;
      /** The vendor ids by which the call of the last day will find what was kept; none: it expires by itself. */
      readonly residue: readonly Identity[];
      /** Where the vendor, not the tenant's policy, sets the first day on which it can be erased. */
      readonly notBefore?: { readonly until: string; readonly ground: string };
    };

/** The vendor has accepted the work and will do it in its own time: ask again, with this reference. */
export type Accepted = {
  readonly outcome: "accepted";
  readonly reference: string;
  readonly askAfterSeconds: number;
};

/** The first-party endpoint accepted the work and will complete it through the API, so nobody asks. */
export type AwaitsCompletion = { readonly outcome: "awaits_completion" };

/**
 * A search found what is to be acted on. The driver makes these known, so that the vendor's echo is recognised and
 * other tasks can use them, and then runs the action for each; nothing has been changed yet.
 */
export type Found = { readonly outcome: "found"; readonly identities: readonly Identity[] };

/** This attempt did a good part of the work and there is more: go on soon, which is not a failure. */
export type More = { readonly outcome: "more" };

/** The vendor says "too fast" in words of its own, where it does not use 429: the lane rests this long. */
export type SlowDown = { readonly outcome: "slow_down"; readonly seconds: number };

/** An answer that the vendor does not document for this call: the task becomes `stuck`, visibly. */
export type Unforeseen = {
  readonly outcome: "unforeseen";
  readonly status: number;
  readonly what: string;
  /** What the holder had accepted came to nothing: told to retry, the action begins anew instead of asking about it. */
  readonly anew?: true;
};

/** The credential was refused: the whole lane stops until it is mended. */
export type Unauthorized = { readonly outcome: "unauthorized"; readonly status: number; readonly what: string };

export type Answer = Outcome | Accepted | AwaitsCompletion | Found | More | SlowDown | Unforeseen | Unauthorized;

export const erased: Outcome = { outcome: "erased" };
export const revoked: Outcome = { outcome: "revoked" };
export const stopped: Outcome = { outcome: "stopped" };
export const stoppedBecause = (because: string): Outcome => ({ outcome: "stopped", because });
export const informed: Outcome = { outcome: "informed" };
export const notFound: Outcome = { outcome: "not_found" };
export const awaitsCompletion: AwaitsCompletion = { outcome: "awaits_completion" };

/** Nothing found is `not_found`. */
export const found = (identities: readonly Identity[]): Found | Outcome =>
  identities.length === 0 ? notFound : { outcome: "found", identities };

/** Kept because the tenant's policy keeps `category`; `residue` finds it again on the last day. */
export const retained = (category: string, residue: readonly Identity[]): Outcome => ({
  outcome: "retained",
  category,
  residue,
});

/** Kept because the vendor cannot erase it before `until` (RFC 3339). */
export const notYet = (category: string, residue: readonly Identity[], until: string, ground: string): Outcome => ({
  outcome: "retained",
  category,
  residue,
  notBefore: { until, ground },
});

export const accepted = (reference: string, askAfterSeconds: number): Accepted => ({
  outcome: "accepted",
  reference,
  askAfterSeconds,
});

/** What a later look at the vendor finds; `no_view` where this kind of thing cannot be looked at. */
export type Sight = "absent" | "present" | "no_view" | SlowDown | Unforeseen | Unauthorized;
