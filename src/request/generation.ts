import type { SignalType } from "../contract/signal.ts";

/**
 * Why a signal is too old to be obeyed: a newer connection of the person's, or its own sender's later word that the account
 * is there again.
 */
export type SupersededBy = "connection" | "restored";

/**
 * Whose word that an account was restored counts against a signal: its own sender's, and only against a deletion of the
 * account. A restore at one vendor says nothing of what another reports.
 *
 * What people ask for themselves stays asked for: no platform withdraws it in their name. The end of a grant stays: an account
 * that is there again has granted nothing. A disabled account causes nothing that could be taken back, and what was deleted
 * piece by piece does not come back with the account. All of these end with a newer connection only, which is the person's
 * own doing and is stated by the product.
 */
export const heeds = (signal: SignalType | undefined, sender: string): string =>
  signal === "account_deleted" ? sender : "";

/** Whose word this is that an account was restored; "" for every other signal. */
export const restores = (signal: SignalType | undefined, sender: string): string =>
  signal === "account_restored" ? sender : "";

/** The subprocessor that a request came from: its source is `<subprocessor>/<endpoint>`. */
export const senderOf = (source: string): string => source.split("/")[0] ?? "";

/** How far ahead of ours a sender's clock may be: a restore that lies in the future would silence every deletion until then. */
export const CLOCK_SKEW_MS = 300_000;
