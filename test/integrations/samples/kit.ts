import type { Identity } from "../../../src/contract/identity.ts";
import type { ActionName } from "../../../src/contract/integration.ts";
import type { Answer, Sight } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import type { Played } from "../../support/play.ts";

/** One step of an action: what the vendor answers, and which statuses it documents for this call. */
export type Step = { readonly reply: Played; readonly documented: (status: number) => boolean };

/** One way through an action, from a documented answer of each call to its outcome. */
export type Way = {
  readonly name: string;
  readonly action: ActionName;
  readonly part: "run" | "look" | { readonly check: string };
  readonly identity: Identity;
  readonly keeps?: readonly string[];
  readonly steps: readonly Step[];
  readonly outcome: Answer | Sight;
};

/** What each event of a hook says when it happened at `at`; it is signed by the sender of the same name. */
export type HookSample = Readonly<Record<string, (at: number) => readonly Signal[]>>;

/** Each event of a stream as it comes when it happens at `at`, and what it says. */
export type StreamSample = Readonly<
  Record<string, { readonly message: (at: number) => string; readonly says: (at: number) => readonly Signal[] }>
>;

/** One line of a list for each of its events, as of `at`, and what it says. */
export type ListSample = Readonly<
  Record<string, { readonly line: (at: number) => string; readonly says: (at: number) => readonly Signal[] }>
>;

/** What an integration's contract test needs beside its declaration. */
export type Sample = {
  readonly settings: Readonly<Record<string, string>>;
  readonly hooks: Readonly<Record<string, HookSample>>;
  readonly streams?: Readonly<Record<string, StreamSample>>;
  readonly lists?: Readonly<Record<string, ListSample>>;
  readonly ways: readonly Way[];
};

export const on =
  (...statuses: readonly number[]) =>
  (reply: Played): Step => ({ reply, documented: (status) => statuses.includes(status) });

export const person = { type: "email", value: "ada@example.com" };

/** A vendor that gives whole seconds: it may have happened until the end of that second. */
export const signal = (type: Signal["type"], identity: Identity, at: number): Signal => ({
  type,
  identity,
  at: Math.floor(at / 1000) * 1000 + 999,
});
